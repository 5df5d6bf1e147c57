#ifndef POLYMORPH_CYAML_SHIM_H
#define POLYMORPH_CYAML_SHIM_H
#include <yaml.h>
#endif
