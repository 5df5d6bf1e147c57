#ifndef POLYMORPH_CSPGLIB_SHIM_H
#define POLYMORPH_CSPGLIB_SHIM_H
#include <spglib.h>
#endif
