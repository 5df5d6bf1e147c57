// Starts a program below a supervisor, which ends all that descends from the program when it is
// asked to or when its parent is gone, however that ended. Between fork and exec only
// async-signal-safe functions may be called; that rules out Swift.
#ifndef POLYMORPH_CPROCESS_SHIM_H
#define POLYMORPH_CPROCESS_SHIM_H
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What the supervisor writes to its report: a kind and a number.
typedef struct {
  int kind;
  int value;
} polymorph_report;

enum { POLYMORPH_NOT_STARTED = 1, POLYMORPH_ENDED = 2 };

// Where the supervisor keeps its files.
enum { POLYMORPH_LIFE = 3, POLYMORPH_REPORT = 4, POLYMORPH_HELD = 5 };

typedef struct {
  const char *program;        // absolute path
  char *const *arguments;     // ended by NULL
  char *const *environment;   // ended by NULL
  const char *folder;         // working directory
  int input;                  // files opened for reading and writing
  int output;
  int life;                   // end of a pipe: at its end of file all is to be ended
  int report;                 // end of a pipe
  int held;                   // stays open until nothing of the program is left; -1 for none
  int grace;                  // milliseconds between the request to end and the kill
} polymorph_launch;

static inline int polymorph_exited(int status) { return WIFEXITED(status); }
static inline int polymorph_exit_status(int status) { return WEXITSTATUS(status); }
static inline int polymorph_signal(int status) { return WTERMSIG(status); }

// A pipe that programs do not inherit; Swift does not see pipe2.
static inline int polymorph_pipe(int ends[2]) {
  return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

static inline void polymorph_say(int kind, int value) {
  polymorph_report report = {kind, value};
  ssize_t ignored = write(POLYMORPH_REPORT, &report, sizeof report);
  (void)ignored;
}

// Puts the files where the supervisor wants them and closes all others. First out of each other's way.
static inline int polymorph_arrange(const polymorph_launch *launch) {
  int from[6] = {launch->input, launch->output, launch->output, launch->life, launch->report,
                 launch->held};
  for (int i = 0; i < 6; i++) {
    if (from[i] < 0) continue;
    from[i] = fcntl(from[i], F_DUPFD, 16);
    if (from[i] < 0) return -1;
  }
  for (int i = 0; i < 6; i++) {
    if (from[i] < 0) {
      close(i);
      continue;
    }
    if (dup2(from[i], i) < 0) return -1;
    if (i >= POLYMORPH_LIFE && fcntl(i, F_SETFD, FD_CLOEXEC) < 0) return -1;
  }
  if (syscall(SYS_close_range, 6U, ~0U, 0U) != 0) {
    for (int i = 6; i < 65536; i++) close(i);
  }
  return 0;
}

// Signals every child of this process, also those that it inherited from children that ended.
static inline void polymorph_signal_children(int number) {
  char text[4096];
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, text, sizeof text);
  close(file);
  pid_t child = 0;
  for (ssize_t i = 0; i < length; i++) {
    if (text[i] >= '0' && text[i] <= '9') {
      child = 10 * child + (text[i] - '0');
    } else if (child > 0) {
      kill(child, number);
      child = 0;
    }
  }
}

static inline void polymorph_run_program(const polymorph_launch *launch, pid_t supervisor,
                                         const sigset_t *signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The supervisor may have ended before the line above.
  if (getppid() != supervisor) _exit(127);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int i = 1; i < NSIG; i++) sigaction(i, &usual, NULL);
  sigprocmask(SIG_SETMASK, signals, NULL);
  if (chdir(launch->folder) == 0) execve(launch->program, launch->arguments, launch->environment);
  polymorph_say(POLYMORPH_NOT_STARTED, errno);
  _exit(127);
}

pid_t _Fork(void);

// Never returns. All signals are blocked: only the end of the life pipe, or a kill, ends it early.
static inline void polymorph_supervise(const polymorph_launch *launch) {
  setpgid(0, 0);
  prctl(PR_SET_NAME, "polymorph-child");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (polymorph_arrange(launch) != 0) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  pid_t supervisor = getpid();
  pid_t program = _Fork();
  if (program == 0) polymorph_run_program(launch, supervisor, &none);
  if (program < 0) {
    polymorph_say(POLYMORPH_NOT_STARTED, errno);
    _exit(126);
  }
  // Here too: the first of the two to run decides.
  setpgid(program, program);
  close(0);
  close(1);
  close(2);

  // Daemons of an MPI library clean up after the program, in less than this.
  const int afterlife = 500;  // milliseconds
  enum { RUNNING, ENDED, ASKED, KILLING } stage = RUNNING;
  int pause = 1;   // milliseconds
  int waited = 0;  // milliseconds since the stage began
  while (1) {
    int status = 0;
    pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0 && errno == ECHILD) _exit(0);
    if (ended == program) {
      polymorph_say(POLYMORPH_ENDED, status);
      waited = 0;
      pause = 1;
      // Below a launcher that was asked to end, ranks may not have been.
      if (stage == ASKED) polymorph_signal_children(SIGTERM);
      if (stage == RUNNING) stage = ENDED;
    }
    if (ended > 0) continue;

    int isOver = 0;
    if (stage < ASKED) {
      struct pollfd life = {POLYMORPH_LIFE, POLLIN, 0};
      isOver = poll(&life, 1, pause) > 0;
    } else {
      struct timespec time = {0, 1000000L * pause};
      nanosleep(&time, NULL);
    }
    waited += pause;
    if (pause < 32) pause *= 2;
    if (isOver || (stage == ENDED && waited >= afterlife)) {
      kill(-program, SIGTERM);
      // A stopped process hears nothing else.
      kill(-program, SIGCONT);
      if (stage == ENDED) polymorph_signal_children(SIGTERM);
      stage = ASKED;
      waited = 0;
      pause = 1;
    } else if (stage == ASKED && waited >= launch->grace) {
      stage = KILLING;
    }
    if (stage == KILLING) {
      kill(-program, SIGKILL);
      polymorph_signal_children(SIGKILL);
    }
  }
}

// The supervisor's process identifier, or -1 with errno.
static inline pid_t polymorph_start(const polymorph_launch *launch) {
  sigset_t all, before;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, &before) != 0) return -1;
  pid_t supervisor = _Fork();
  if (supervisor == 0) polymorph_supervise(launch);
  int reason = errno;
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = reason;
  return supervisor;
}

#endif
