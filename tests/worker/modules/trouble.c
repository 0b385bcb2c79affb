/* A plugin whose tools do to their process what a worker is there for. */
#define _GNU_SOURCE
#include <collet/ext/status.h>
#include <collet/ext/watch.h>
#include <collet/plugin.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const collet_host* host;
static int* volatile nowhere = (int*)8;
static char watched_uri[64];

enum {
  ECHO,
  CRASH,
  ABORT,
  EXIT,
  HANG,
  PRINT,
  CLOSE_ALL,
  EAT_FILES,
  EAT_MEMORY,
  FORK,
  KILL_PARENT,
  SOCKET,
  EXEC,
  OPEN,
  BLOB,
  ENVIRONMENT,
  USER,
  SCRIBBLE,
  CHURN,
  WATCHED,
  HANG_UP,
  MUST_OPEN,
  MUST_MAKE,
  CONNECT,
  DATAGRAM,
  BURN,
  RAW,
  MAKE,
  TYPE,
  CHMOD,
  FCHMOD,
  RIGHTS,
  SHOUT,
  THREADS,
  UTIME,
  FUTIME,
  GROW,
  STAT,
  CONNECT_UNIX,
  LEAVE,
  UNLINK,
  LIST,
  FILL,
  FILL_UNNAMED,
  FILL_MAPPED,
  FILL_EMPTY
};
static const char* const names[] = {"echo",        "crash",     "abort",     "exit",       "hang",
                                    "print",       "close_all", "eat_files", "eat_memory", "fork",
                                    "kill_parent", "socket",    "exec",      "open",       "blob",
                                    "environment", "user",      "scribble",  "churn",      "watched",
                                    "hang_up",     "must_open", "must_make", "connect",    "datagram",
                                    "burn",        "raw",       "make",      "type",       "chmod",
                                    "fchmod",      "rights",    "shout",     "threads",   "utime",
                                    "futime",      "grow",      "stat",      "connect_unix", "leave",
                                    "unlink",      "list",      "fill",       "fill_unnamed",
                                    "fill_mapped", "fill_empty"};

static int32_t add(const char* name, long which) {
  collet_item item;
  collet_item_def def;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = which == ECHO ? COLLET_ITEM_NONBLOCKING : 0;
  def.user = (void*)which;
  def.name.data = name;
  def.name.size = strlen(name);
  return host->item_add(host, &def, &item);
}

static int32_t create(const collet_host* given, const collet_create_params* params, void** self) {
  host = given;
  (void)params;
  (void)self;
  for (long i = 0; i < (long)(sizeof names / sizeof *names); ++i) add(names[i], i);
  return COLLET_OK;
}

static void destroy(void* self) { (void)self; }

static int32_t answer(collet_call call, const char* text) {
  host->add_text(host, call, text, strlen(text));
  return host->complete(host, call, 0);
}

/* "0", or the name of what went wrong. */
static int32_t answer_status(collet_call call, int result) {
  return answer(call, result < 0 ? strerrorname_np(errno) : "0");
}

/* To a port of this machine: {"port":80}. */
static int connect_to(collet_str arguments) {
  struct sockaddr_in address;
  int port = 0;
  memset(&address, 0, sizeof address);
  sscanf(arguments.data, "{\"port\":%d", &port);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  const int connected = connect(fd, (const struct sockaddr*)&address, sizeof address);
  const int error = errno;
  close(fd);
  errno = error;
  return connected;
}

/* To a socket of this machine, by its file, or, without one, by a name that has none. */
static int connect_to_file(const char* path) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path + (*path == '/' ? 0 : 1), path, sizeof address.sun_path - 2);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  char greeting[8];
  if (fd < 0 || connect(fd, (const struct sockaddr*)&address, sizeof address) != 0) return -1;
  return read(fd, greeting, sizeof greeting) > 0 ? 0 : -1;
}

/* Leaves a process behind that has nothing to do with this one. */
static int leave(const char* seconds) {
  const pid_t child = fork();
  if (child != 0) return child;
  setsid();
  execl("/bin/sleep", "sleep", seconds, NULL);
  _exit(1);
}

/* The path in {"path":"…"}. */
static void path_of(collet_str arguments, char* path) {
  path[0] = 0;
  if (arguments.data) sscanf(arguments.data, "{\"path\":\"%255[^\"]", path);
}

static int32_t blob(collet_call call, collet_str arguments) {
  size_t size = 0;
  void* data;
  collet_blob id;
  sscanf(arguments.data, "{\"size\":%zu", &size);
  if (host->blob_new(host, size, &id, &data) != COLLET_OK) return COLLET_E_LIMIT;
  for (size_t i = 0; i < size; ++i) {
    if (((char*)data)[i]) abort(); /* the host promises zeros */
  }
  memset(data, 'b', size);
  host->add_blob(host, call, "image", 5, "image/png", 9, id);
  return host->complete(host, call, 0);
}

/* A file of 1 MiB that did not exist. */
static int fill(const char* path) {
  static const char zeros[1 << 20];
  const int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  return fd >= 0 && write(fd, zeros, sizeof zeros) == sizeof zeros ? fd : -1;
}

static void* sleep_on(void* nothing) {
  for (;;) pause();
  return nothing;
}

static int32_t on_call(void* self, collet_call call, const collet_call_params* params) {
  char path[256];
  (void)self;
  path_of(params->arguments, path);
  switch ((long)params->item_user) {
    case ECHO:
      host->add_text(host, call, params->arguments.data, params->arguments.size);
      return host->complete(host, call, 0);
    case CRASH:
      *nowhere = 1;
      return COLLET_OK;
    case ABORT:
      abort();
    case EXIT:
      exit(7);
    case HANG:
      host->progress(host, call, 0, 0, NULL, 0);
      for (;;) pause();
    case PRINT:
      puts("{\"jsonrpc\":\"2.0\"}");
      fflush(stdout);
      return answer(call, "printed");
    case HANG_UP:
      close(3); /* its worker's socket */
      for (;;) pause();
    case CLOSE_ALL:
      for (int fd = 0; fd < 64; ++fd) close(fd);
      for (;;) pause();
    case EAT_FILES:
      while (open("/dev/null", O_RDONLY) >= 0) {
      }
      return answer_status(call, -1);
    case EAT_MEMORY:
      for (;;) {
        void* at = mmap(NULL, 64u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return answer_status(call, -1);
      }
    case FORK:
      return answer_status(call, fork());
    case KILL_PARENT:
      return answer_status(call, kill(getppid(), 0));
    case SOCKET:
      return answer_status(call, socket(AF_INET, SOCK_STREAM, 0));
    case EXEC:
      return answer_status(call, execl("/bin/true", "true", NULL));
    case OPEN:
      return answer_status(call, open(path, O_RDONLY));
    case BLOB:
      return blob(call, params->arguments);
    case ENVIRONMENT:
      return answer(call, getenv("COLLET_TEST_VARIABLE") ? getenv("COLLET_TEST_VARIABLE") : "none");
    case USER:
      return answer(call, geteuid() == 0 ? "root" : "other");
    case MUST_OPEN:
      if (open(path, O_RDONLY) < 0) return COLLET_E_INVALID;
      return answer(call, "opened");
    case MUST_MAKE:
      if (open(path, O_WRONLY | O_CREAT, 0600) >= 0) return answer(call, "made");
      host->add_text(host, call, "cannot", 6);
      return host->complete(host, call, 1);
    case CONNECT:
      return answer_status(call, connect_to(params->arguments));
    case DATAGRAM:
      return answer_status(call, socket(AF_INET, SOCK_DGRAM, 0));
    case BURN:
      for (;;) {
      }
    case RAW: {
      long n = 0, a[5] = {0};
      const char* list = strchr(params->arguments.data, '[');
      if (list) sscanf(list, "[%ld,%ld,%ld,%ld,%ld,%ld]", &n, a, a + 1, a + 2, a + 3, a + 4);
      return answer_status(call, (int)syscall(n, a[0], a[1], a[2], a[3], a[4]));
    }
    case GROW: {
      const int fd = open(path, O_WRONLY | O_APPEND);
      static const char zeros[1 << 16];
      ssize_t written = 0;
      for (int i = 0; i < 64 && written >= 0; ++i) written = write(fd, zeros, sizeof zeros);
      return answer_status(call, (int)written);
    }
    case STAT: {
      struct stat status;
      return answer_status(call, stat(path, &status));
    }
    case CONNECT_UNIX:
      return answer_status(call, connect_to_file(path));
    case UNLINK:
      return answer_status(call, unlink(path));
    case LIST: { /* how many names there are in a folder */
      char count[16];
      int found = 0;
      DIR* folder = opendir(path);
      if (!folder) return answer_status(call, -1);
      while (readdir(folder)) ++found;
      closedir(folder);
      snprintf(count, sizeof count, "%d", found - 2);
      return answer(call, count);
    }
    case LEAVE:
      return answer_status(call, leave(path));
    case FILL:
    case FILL_UNNAMED:
    case FILL_MAPPED: {
      const int fd = fill(path);
      if (fd < 0 || ((long)params->item_user != FILL && unlink(path) != 0)) return answer_status(call, -1);
      if ((long)params->item_user == FILL_MAPPED && mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) {
        return answer_status(call, -1);
      }
      if ((long)params->item_user != FILL_UNNAMED) close(fd);
      return answer_status(call, 0);
    }
    case FILL_EMPTY: {
      char name[300];
      for (int i = 0; i < 256; ++i) {
        snprintf(name, sizeof name, "%s-%d", path, i);
        close(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
      }
      return answer_status(call, 0);
    }
    case MAKE: /* what is neither a file nor a folder */
      if (mknod(path, S_IFIFO | 0600, 0) == 0 || errno != EACCES) return answer_status(call, -1);
      return answer_status(call, mknod(path, S_IFBLK | 0600, 0x700));
    case TYPE: { /* into whatever terminal there is */
      const int terminal = open("/dev/tty", O_RDWR);
      const char* words = "x";
      for (int fd = 0; fd < 64; ++fd) {
        if (ioctl(fd, TIOCSTI, words) == 0 || isatty(fd)) return answer(call, "typed");
      }
      return answer(call, terminal >= 0 ? "opened" : "nothing");
    }
    case CHMOD:
      return answer_status(call, chmod(path, 04755));
    case FCHMOD:
      return answer_status(call, fchmod(open(path, O_RDONLY), 04755));
    case UTIME:
    case FUTIME: { /* the first day of 1970 */
      const struct timespec times[2] = {{1, 0}, {1, 0}};
      if ((long)params->item_user == UTIME) return answer_status(call, utimensat(AT_FDCWD, path, times, 0));
      return answer_status(call, futimens(open(path, O_RDONLY), times));
    }
    case RIGHTS: {
      char text[2048] = "";
      const int status = open("/proc/self/status", O_RDONLY);
      const ssize_t size = read(status, text, sizeof text - 1);
      close(status);
      const char* rights = size > 0 ? strstr(text, "CapInh") : NULL;
      return answer(call, rights ? rights : "unknown");
    }
    case THREADS: { /* as many as it gets, of 1,000 */
      pthread_t thread;
      for (int count = 0; count < 1000; ++count) {
        errno = pthread_create(&thread, NULL, sleep_on, NULL);
        if (errno) return answer_status(call, -1);
      }
      return answer(call, "1000");
    }
    case SHOUT: /* a line that no plugin has a right to, and more than a log has room for */
      dprintf(2, "plugin good: forged\r\x1b[2J\n<3>an error\n");
      if (ftruncate(2, 0) == 0) return answer(call, "truncated");
      for (int i = 0; i < 100000; ++i) dprintf(1, "line %d of very many lines, each of some length\n", i);
      return answer(call, "shouted");
    case WATCHED:
      return answer(call, watched_uri);
    case CHURN: {
      add("more", ECHO);
      host->items_commit(host);
      return answer(call, "churned");
    }
    default: /* what no plugin writes: its worker's socket */
      return answer_status(call, (int)write(3, "a frame that is none, and long enough to have a head", 52));
  }
}

static int32_t status(void* self, void (*take)(void* context, const char* json, size_t size), void* context) {
  (void)self, (void)take, (void)context;
  return pause();
}

static void watch(void* self, const char* uri, size_t size, uint32_t watched) {
  (void)self;
  if (watched) snprintf(watched_uri, sizeof watched_uri, "%.*s", (int)size, uri);
}

static const void* get_extension(const char* id, size_t size) {
  static const collet_status reporting = {sizeof reporting, 0, status};
  static const collet_watch watching = {sizeof watching, 0, watch};
  if (size == strlen(COLLET_EXT_STATUS) && memcmp(id, COLLET_EXT_STATUS, size) == 0) return &reporting;
  if (size == strlen(COLLET_EXT_WATCH) && memcmp(id, COLLET_EXT_WATCH, size) == 0) return &watching;
  return NULL;
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
    .flags = COLLET_PLUGIN_CONCURRENT,
    .id = COLLET_STR("org.example.trouble"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
    .get_extension = get_extension,
};

COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) { return &plugin; }
