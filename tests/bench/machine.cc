#include "tests/bench/machine.h"

#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <thread>

#include "absl/strings/str_format.h"
#include "coord/process/version.h"

namespace drover::bench {
namespace {

constexpr unsigned long kXfs = 0x58465342;  // not in <linux/magic.h>

std::string FileSystemOf(const std::string& path) {
  struct statfs found = {};
  if (statfs(path.c_str(), &found) != 0) return "unknown";
  const auto type = static_cast<unsigned long>(found.f_type);
  switch (type) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case kXfs:
      return "xfs";
    default:
      return absl::StrFormat("file system type %#x", type);
  }
}

}  // namespace

Machine DescribeMachine(const std::string& data) {
  Machine machine;
  machine.cores = std::thread::hardware_concurrency();
  utsname names = {};
  if (uname(&names) == 0) machine.kernel = names.release;
  machine.build = process::VersionLine("drover-bench");
  machine.data = data;
  machine.file_system = FileSystemOf(data);
  return machine;
}

}  // namespace drover::bench
