#ifndef POLYMORPH_CFFTW_SHIM_H
#define POLYMORPH_CFFTW_SHIM_H
#include <fftw3.h>
#endif
