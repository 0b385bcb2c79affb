// Gives the precompiled header of support/catch.h a source to be made for; support/main.cc cannot use it.
#include "support/catch.h"
