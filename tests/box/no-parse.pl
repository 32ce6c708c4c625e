# COMPILE_ERROR
sub f { return
