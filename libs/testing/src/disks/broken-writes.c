/* Preloaded into a process: lets writes and syncs of chosen files fail, as a broken disk does.
 * BROKEN_WRITES names a list of inode numbers; where it is missing or empty, nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* EIO where this descriptor is due to fail, or 0. */
static int due(int fd) {
  const char *list = getenv("BROKEN_WRITES");
  FILE *file = list ? fopen(list, "re") : NULL;
  if (!file) return 0;
  struct stat here;
  unsigned long inode;
  int found = 0;
  if (fstat(fd, &here) == 0)
    while (!found && fscanf(file, "%lu", &inode) == 1)
      if (inode == here.st_ino) found = EIO;
  fclose(file);
  return found;
}

#define FAILING(type, name, parameters, arguments)                     \
  type name parameters {                                               \
    static type(*next) parameters;                                     \
    if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);     \
    int error = due(fd);                                               \
    if (!error) return next arguments;                                 \
    errno = error;                                                     \
    return -1;                                                         \
  }

FAILING(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
FAILING(ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at))
FAILING(ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off64_t at), (fd, bytes, length, at))
FAILING(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
FAILING(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
FAILING(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, fdatasync, (int fd), (fd))
