// A simulated disk with a page cache: what was not synced is lost at a crash, bytes and directory entries alike; and its faults.
//
// The model. A file has cached and durable contents; WriteAt and Allocate change the cached ones and mark 512-byte sectors dirty;
// Sync makes them durable. Creations, renames and removals are durable only after SyncDirectory. Directories themselves are durable
// at once, their renames, too. A crash keeps what is durable and, as told, nothing, everything or a random part of the rest.
#ifndef DROVER_TESTS_SIM_SIM_FILE_SYSTEM_H_
#define DROVER_TESTS_SIM_SIM_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"

namespace drover::sim {

// What becomes of un-synced changes.
enum class Survival {
  kNothing,     // power loss at the worst moment
  kEverything,  // the process was killed, the kernel lives: it may still be lost by a later crash
  kRandom,      // power loss: each dirty sector and a prefix of each directory's changes survive by chance (torn writes)
};

// One thread. Outlives its files and locks.
class SimFileSystem final : public base::FileSystem {
 public:
  static constexpr std::uint64_t kSector = 512;

  // `seed` decides what survives and where failing writes stop.
  explicit SimFileSystem(std::uint64_t seed) : random_(seed) {}

  absl::StatusOr<std::unique_ptr<base::File>> Open(const std::string& path, base::OpenMode mode) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  void Forget(const std::string&) override {}  // it keeps nothing
  absl::StatusOr<std::unique_ptr<base::FileLock>> Lock(const std::string& path) override;

  // The process, or the machine under it, goes down and comes up: open files fail from here on, locks are free, planned faults are
  // forgotten.
  void Crash(Survival survival);

  // Faults. Calls of every method of FileSystem and File are counted from 1; destructors are not calls.
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  // The n-th call from now fails with `error`, once or with all that follow. A failing write has written a random prefix; a failing
  // Sync has dropped the dirty sectors as Linux does: the cache shows the new bytes, the disk keeps the old, and the next Sync
  // succeeds without writing them.
  void FailCall(std::uint64_t n, absl::Status error, bool for_ever = false);
  // The next Sync of a file fails once, like FailCall.
  void FailNextSync(absl::Status error) { next_sync_error_ = std::move(error); }
  // The n-th call from now and all that follow fail, as for a process that is about to die; a write among them is begun, so that
  // part of it may survive. Then destroy the process's objects and call Crash.
  void StopAtCall(std::uint64_t n);
  // True once the call of StopAtCall or FailCall has been reached.
  [[nodiscard]] bool fault_reached() const { return fault_reached_; }
  void ClearFaults();
  // Sum of all file sizes from which on growth is RESOURCE_EXHAUSTED.
  void SetCapacity(std::uint64_t bytes) { capacity_ = bytes; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

  // The hand of the test: no calls, no faults, durable at once.
  [[nodiscard]] bool Exists(const std::string& path) const { return entries_.count(path) > 0; }
  [[nodiscard]] std::vector<std::string> Paths() const;
  [[nodiscard]] std::string Read(const std::string& path) const;
  void Write(const std::string& path, const std::string& contents);
  void Delete(const std::string& path);
  [[nodiscard]] bool HasDirectory(const std::string& path) const { return directories_.count(path) > 0; }
  void DeleteDirectory(const std::string& path);  // with all that is in it
  void MoveDirectory(const std::string& from, const std::string& to);
  void FlipBit(const std::string& path, std::uint64_t offset, int bit);
  // An independent disk with the same files, all durable, and no faults: to try many endings of one beginning.
  [[nodiscard]] std::unique_ptr<SimFileSystem> Copy(std::uint64_t seed) const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  class SimFile;
  class SimLock;
  struct Inode {
    std::string cached;
    std::string durable;
    std::set<std::uint64_t> dirty;  // sectors of `cached`
  };
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;  // by whole path
  // A change of a directory that is not durable yet.
  struct Change {
    std::string from;  // not empty: this name goes
    std::string to;    // not empty: this name is now `inode`
    std::shared_ptr<Inode> inode;
  };

  [[nodiscard]] absl::Status Call();
  [[nodiscard]] absl::Status Call(bool* begin);
  static std::string DirectoryOf(const std::string& path);
  static void Apply(const Change& change, Entries* entries);
  static void Keep(Inode* inode, std::uint64_t sector);
  void WriteCached(Inode* inode, std::uint64_t offset, absl::string_view data);
  absl::Status DoWrite(Inode* inode, const std::string& path, std::uint64_t offset, absl::string_view data);
  absl::Status DoSync(Inode* inode, const std::string& path);

  base::SeededRandom random_;
  std::set<std::string> directories_;
  Entries entries_;  // as processes see them
  Entries durable_entries_;
  std::map<std::string, std::vector<Change>> changes_;  // by directory
  std::set<std::string> locks_;
  std::uint64_t boot_ = 0;  // files and locks of an earlier boot are dead
  std::uint64_t capacity_ = UINT64_MAX;

  std::uint64_t calls_ = 0;
  std::uint64_t fail_at_ = 0;  // 0: never
  bool fail_for_ever_ = false;
  bool stop_ = false;
  bool fault_reached_ = false;
  absl::Status error_;
  absl::Status next_sync_error_;
};

}  // namespace drover::sim

#endif  // DROVER_TESTS_SIM_SIM_FILE_SYSTEM_H_
