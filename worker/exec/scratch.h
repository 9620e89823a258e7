// A task's own directory: `<parent>/<name>` with `work` (its working directory) and `tmp` (its TMPDIR) in it, and what it says
// with: the FIFO `progress`, and `result`, which it may make.
#ifndef DROVER_WORKER_EXEC_SCRATCH_H_
#define DROVER_WORKER_EXEC_SCRATCH_H_

#include <string>

namespace drover::worker::exec {

struct Scratch {
  std::string path;
  std::string work;
  std::string tmp;
  std::string progress;
  std::string result;
};

// 0, or errno.
int MakeScratch(const std::string& parent, const std::string& name, Scratch* scratch);

// Removes `path` and all below it; never follows a symbolic link, opens what its owner closed to itself. 0, or the first errno;
// what can be removed is removed. Nothing there is 0.
int RemoveTree(const std::string& path);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_SCRATCH_H_
