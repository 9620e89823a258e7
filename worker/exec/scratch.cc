#include "worker/exec/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace drover::worker::exec {
namespace {

int RemoveAt(int parent, const char* name);

// `fd` is a directory and is closed here.
int Empty(int fd) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd), ::closedir);
  if (directory == nullptr) {
    const int error = errno;
    ::close(fd);
    return error;
  }
  std::vector<std::string> names;  // read first: removing while reading may skip entries
  while (const dirent* entry = ::readdir(directory.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) names.emplace_back(entry->d_name);
  }
  int first = 0;
  for (const std::string& name : names) {
    const int error = RemoveAt(fd, name.c_str());
    if (first == 0) first = error;
  }
  return first;
}

int RemoveAt(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM && errno != EACCES) return errno;
  int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) {
    ::fchmodat(parent, name, 0700, 0);
    fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0) return errno;
  ::fchmod(fd, 0700);
  const int error = Empty(fd);
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return error != 0 ? error : errno;
}

}  // namespace

int MakeScratch(const std::string& parent, const std::string& name, Scratch* scratch) {
  scratch->path = parent + "/" + name;
  scratch->work = scratch->path + "/work";
  scratch->tmp = scratch->path + "/tmp";
  for (const std::string* path : {&scratch->path, &scratch->work, &scratch->tmp}) {
    if (::mkdir(path->c_str(), 0700) != 0) return errno;
  }
  scratch->progress = scratch->path + "/progress";
  scratch->result = scratch->path + "/result";
  if (::mkfifo(scratch->progress.c_str(), 0600) != 0) return errno;
  return 0;
}

int RemoveTree(const std::string& path) {
  return RemoveAt(AT_FDCWD, path.c_str());
}

}  // namespace drover::worker::exec
