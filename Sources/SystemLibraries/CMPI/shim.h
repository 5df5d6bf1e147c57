// MPI's handles are macros with casts, which Swift cannot see; each gets an accessor.
#ifndef POLYMORPH_CMPI_SHIM_H
#define POLYMORPH_CMPI_SHIM_H
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

static inline MPI_Comm polymorph_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm polymorph_mpi_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Errhandler polymorph_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Datatype polymorph_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype polymorph_mpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype polymorph_mpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Op polymorph_mpi_sum(void) { return MPI_SUM; }
static inline MPI_Op polymorph_mpi_max(void) { return MPI_MAX; }
static inline MPI_Op polymorph_mpi_min(void) { return MPI_MIN; }
static inline MPI_Request polymorph_mpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline int polymorph_mpi_any_source(void) { return MPI_ANY_SOURCE; }
static inline int polymorph_mpi_any_tag(void) { return MPI_ANY_TAG; }
static inline int polymorph_mpi_success(void) { return MPI_SUCCESS; }
static inline int polymorph_mpi_thread_funneled(void) { return MPI_THREAD_FUNNELED; }
static inline int polymorph_mpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int polymorph_mpi_max_library_version(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }
static inline int polymorph_mpi_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }

#endif
