// SQLITE_TRANSIENT is a macro with a cast, which Swift cannot see.
#ifndef POLYMORPH_CSQLITE_SHIM_H
#define POLYMORPH_CSQLITE_SHIM_H
#include <sqlite3.h>

static inline sqlite3_destructor_type polymorph_sqlite_transient(void) { return SQLITE_TRANSIENT; }

#endif
