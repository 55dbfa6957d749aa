

system4,0,100,200,300

vendor2,5

