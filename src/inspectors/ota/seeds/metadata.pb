"%
ota-property-filespayload.bin:1:2*
x
yb €âÏª*342
x
yb €âÏª*34H
ÿ