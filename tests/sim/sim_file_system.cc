#include "tests/sim/sim_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/status.h"

namespace drover::sim {

class SimFileSystem::SimFile final : public base::File {
 public:
  SimFile(SimFileSystem* fs, std::shared_ptr<Inode> inode, std::string path, bool writable)
      : fs_(fs), inode_(std::move(inode)), path_(std::move(path)), writable_(writable), boot_(fs->boot_) {}

  absl::Status WriteAt(std::uint64_t offset, absl::string_view data) override {
    DROVER_RETURN_IF_ERROR(Alive());
    if (!writable_) return absl::InternalError(absl::StrCat("write ", path_, ": opened for reading"));
    return fs_->DoWrite(inode_.get(), path_, offset, data);
  }

  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) override {
    DROVER_RETURN_IF_ERROR(Alive());
    DROVER_RETURN_IF_ERROR(fs_->Call());
    if (offset >= inode_->cached.size()) return std::string();
    return inode_->cached.substr(offset, size);
  }

  absl::Status Sync() override {
    DROVER_RETURN_IF_ERROR(Alive());
    return fs_->DoSync(inode_.get(), path_);
  }

  absl::Status Allocate(std::uint64_t size) override {
    DROVER_RETURN_IF_ERROR(Alive());
    if (!writable_) return absl::InternalError(absl::StrCat("allocate ", path_, ": opened for reading"));
    const std::uint64_t now = inode_->cached.size();
    return fs_->DoWrite(inode_.get(), path_, now, std::string(size > now ? size - now : 0, '\0'));
  }

  // Durable at once, as nothing promises that it is not.
  absl::Status Truncate(std::uint64_t size) override {
    DROVER_RETURN_IF_ERROR(Alive());
    if (!writable_) return absl::InternalError(absl::StrCat("truncate ", path_, ": opened for reading"));
    DROVER_RETURN_IF_ERROR(fs_->Call());
    inode_->cached.resize(size);
    if (inode_->durable.size() > size) inode_->durable.resize(size);
    inode_->dirty.erase(inode_->dirty.lower_bound((size + kSector - 1) / kSector), inode_->dirty.end());
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Size() override {
    DROVER_RETURN_IF_ERROR(Alive());
    DROVER_RETURN_IF_ERROR(fs_->Call());
    return inode_->cached.size();
  }

 private:
  absl::Status Alive() const {
    if (boot_ == fs_->boot_) return absl::OkStatus();
    return absl::InternalError(absl::StrCat(path_, ": the machine went down"));
  }

  SimFileSystem* const fs_;
  const std::shared_ptr<Inode> inode_;
  const std::string path_;
  const bool writable_;
  const std::uint64_t boot_;
};

class SimFileSystem::SimLock final : public base::FileLock {
 public:
  SimLock(SimFileSystem* fs, std::string path) : fs_(fs), path_(std::move(path)), boot_(fs->boot_) {}
  ~SimLock() override {
    if (boot_ == fs_->boot_) fs_->locks_.erase(path_);
  }

 private:
  SimFileSystem* const fs_;
  const std::string path_;
  const std::uint64_t boot_;
};

// Calls and faults ------------------------------------------------------------------------------------------------------------

absl::Status SimFileSystem::Call() {
  bool begin;
  return Call(&begin);
}

// `begin`: the call fails, but is begun.
absl::Status SimFileSystem::Call(bool* begin) {
  ++calls_;
  *begin = false;
  if (fail_at_ == 0 || calls_ < fail_at_) return absl::OkStatus();
  *begin = calls_ == fail_at_ || !stop_;
  if (!stop_ && !fail_for_ever_) fail_at_ = 0;
  fault_reached_ = true;
  return error_;
}

void SimFileSystem::FailCall(std::uint64_t n, absl::Status error, bool for_ever) {
  ClearFaults();
  fail_at_ = calls_ + n;
  fail_for_ever_ = for_ever;
  error_ = std::move(error);
}

void SimFileSystem::StopAtCall(std::uint64_t n) {
  ClearFaults();
  fail_at_ = calls_ + n;
  stop_ = true;
  error_ = absl::InternalError("the power is failing");
}

void SimFileSystem::ClearFaults() {
  fail_at_ = 0;
  fail_for_ever_ = false;
  stop_ = false;
  fault_reached_ = false;
  next_sync_error_ = absl::OkStatus();
}

// Files -----------------------------------------------------------------------------------------------------------------------

void SimFileSystem::WriteCached(Inode* inode, std::uint64_t offset, absl::string_view data) {
  if (data.empty()) return;
  const std::uint64_t old_size = inode->cached.size();
  const std::uint64_t end = offset + data.size();
  if (end > old_size) inode->cached.resize(end, '\0');
  inode->cached.replace(offset, data.size(), data.data(), data.size());
  // A gap between the old end and `offset` is new, too.
  for (std::uint64_t sector = std::min(offset, old_size) / kSector; sector <= (end - 1) / kSector; ++sector) {
    inode->dirty.insert(sector);
  }
}

absl::Status SimFileSystem::DoWrite(Inode* inode, const std::string& path, std::uint64_t offset, absl::string_view data) {
  bool begin;
  const absl::Status fault = Call(&begin);
  if (!fault.ok()) {
    if (begin) WriteCached(inode, offset, stop_ ? data : data.substr(0, random_.Below(data.size() + 1)));
    return base::Annotate(fault, absl::StrCat("write ", path));
  }
  const std::uint64_t end = offset + data.size();
  const std::uint64_t growth = end > inode->cached.size() ? end - inode->cached.size() : 0;
  const std::uint64_t used = bytes();
  if (growth > 0 && used + growth > capacity_) {
    const std::uint64_t room = capacity_ > used ? capacity_ - used : 0;
    WriteCached(inode, offset, data.substr(0, data.size() - std::min<std::uint64_t>(data.size(), growth - room)));
    return absl::ResourceExhaustedError(absl::StrCat("write ", path, ": no space left on device"));
  }
  WriteCached(inode, offset, data);
  return absl::OkStatus();
}

// Makes one sector of the cache durable.
void SimFileSystem::Keep(Inode* inode, std::uint64_t sector) {
  const std::uint64_t begin = sector * kSector;
  const std::uint64_t end = std::min<std::uint64_t>(begin + kSector, inode->cached.size());
  if (begin >= end) return;
  if (inode->durable.size() < end) inode->durable.resize(end, '\0');
  inode->durable.replace(begin, end - begin, inode->cached, begin, end - begin);
}

absl::Status SimFileSystem::DoSync(Inode* inode, const std::string& path) {
  bool begin;
  absl::Status fault = Call(&begin);
  if (fault.ok()) fault = std::exchange(next_sync_error_, absl::OkStatus());
  if (!fault.ok()) {
    // The kernel has dropped what it could not write; with the power failing, Crash decides.
    if (!stop_) inode->dirty.clear();
    return base::Annotate(fault, absl::StrCat("fdatasync ", path));
  }
  for (const std::uint64_t sector : inode->dirty) Keep(inode, sector);
  inode->dirty.clear();
  return absl::OkStatus();
}

// Directories -----------------------------------------------------------------------------------------------------------------

std::string SimFileSystem::DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

void SimFileSystem::Apply(const Change& change, Entries* entries) {
  if (!change.from.empty()) entries->erase(change.from);
  if (!change.to.empty()) (*entries)[change.to] = change.inode;
}

absl::StatusOr<std::unique_ptr<base::File>> SimFileSystem::Open(const std::string& path, base::OpenMode mode) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("open ", path)));
  const auto entry = entries_.find(path);
  if (mode != base::OpenMode::kCreate) {
    if (entry == entries_.end()) return absl::NotFoundError(absl::StrCat("open ", path, ": no such file or directory"));
    return std::make_unique<SimFile>(this, entry->second, path, mode == base::OpenMode::kReadWrite);
  }
  if (entry != entries_.end()) return absl::AlreadyExistsError(absl::StrCat("create ", path, ": file exists"));
  if (directories_.count(DirectoryOf(path)) == 0) {
    return absl::NotFoundError(absl::StrCat("create ", path, ": no such file or directory"));
  }
  Change change{.to = path, .inode = std::make_shared<Inode>()};
  Apply(change, &entries_);
  auto file = std::make_unique<SimFile>(this, change.inode, path, true);
  changes_[DirectoryOf(path)].push_back(std::move(change));
  return file;
}

absl::Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("rename ", from, " to ", to)));
  if (HasDirectory(from)) {
    if (HasDirectory(to)) return absl::FailedPreconditionError(absl::StrCat("rename ", from, ": ", to, " is there"));
    MoveDirectory(from, to);
    return absl::OkStatus();
  }
  const auto entry = entries_.find(from);
  if (entry == entries_.end()) return absl::NotFoundError(absl::StrCat("rename ", from, ": no such file or directory"));
  DROVER_CHECK(DirectoryOf(from) == DirectoryOf(to)) << "a rename between directories is two changes, which is not modelled";
  Change change{.from = from, .to = to, .inode = entry->second};
  Apply(change, &entries_);
  changes_[DirectoryOf(from)].push_back(std::move(change));
  return absl::OkStatus();
}

absl::Status SimFileSystem::Remove(const std::string& path) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("remove ", path)));
  if (entries_.count(path) == 0) return absl::NotFoundError(absl::StrCat("remove ", path, ": no such file or directory"));
  Change change{.from = path};
  Apply(change, &entries_);
  changes_[DirectoryOf(path)].push_back(std::move(change));
  return absl::OkStatus();
}

absl::Status SimFileSystem::MakeDirectory(const std::string& path) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("make directory ", path)));
  for (std::string directory = path; directory != "." && !directory.empty(); directory = DirectoryOf(directory)) {
    directories_.insert(directory);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SimFileSystem::List(const std::string& directory) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("list ", directory)));
  if (directories_.count(directory) == 0) return absl::NotFoundError(absl::StrCat("list ", directory, ": no such directory"));
  std::vector<std::string> names;
  for (const auto& [path, inode] : entries_) {
    if (DirectoryOf(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

absl::Status SimFileSystem::SyncDirectory(const std::string& directory) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("fsync directory ", directory)));
  if (directory != "/" && !HasDirectory(directory))
    return absl::NotFoundError(absl::StrCat("fsync directory ", directory, ": not there"));
  for (const Change& change : changes_[directory]) Apply(change, &durable_entries_);
  changes_.erase(directory);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<base::FileLock>> SimFileSystem::Lock(const std::string& path) {
  DROVER_RETURN_IF_ERROR(base::Annotate(Call(), absl::StrCat("lock ", path)));
  if (directories_.count(DirectoryOf(path)) == 0) return absl::NotFoundError(absl::StrCat("lock ", path, ": no such directory"));
  if (!locks_.insert(path).second) return absl::FailedPreconditionError(absl::StrCat("lock ", path, ": another process holds it"));
  return std::make_unique<SimLock>(this, path);
}

// Crashes and the hand of the test --------------------------------------------------------------------------------------------

void SimFileSystem::Crash(Survival survival) {
  ++boot_;
  locks_.clear();
  ClearFaults();
  if (survival == Survival::kEverything) return;  // the cache lives on, and is no more durable than before
  for (auto& [directory, changes] : changes_) {
    const std::size_t kept = survival == Survival::kRandom ? random_.Below(changes.size() + 1) : 0;
    for (std::size_t i = 0; i < kept; ++i) Apply(changes[i], &durable_entries_);
  }
  changes_.clear();
  entries_ = durable_entries_;
  for (auto& [path, inode] : entries_) {
    for (const std::uint64_t sector : inode->dirty) {
      if (survival == Survival::kRandom && random_.Below(2) == 0) Keep(inode.get(), sector);
    }
    inode->dirty.clear();
    inode->cached = inode->durable;
  }
}

std::vector<std::string> SimFileSystem::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, inode] : entries_) paths.push_back(path);
  return paths;
}

std::string SimFileSystem::Read(const std::string& path) const {
  const auto entry = entries_.find(path);
  DROVER_CHECK(entry != entries_.end()) << path;
  return entry->second->cached;
}

void SimFileSystem::Write(const std::string& path, const std::string& contents) {
  directories_.insert(DirectoryOf(path));
  auto inode = std::make_shared<Inode>(Inode{.cached = contents, .durable = contents, .dirty = {}});
  entries_[path] = inode;
  durable_entries_[path] = std::move(inode);
}

void SimFileSystem::DeleteDirectory(const std::string& path) {
  const auto inside = [&path](const auto& entry) { return DirectoryOf(entry.first) == path; };
  std::erase_if(entries_, inside);
  std::erase_if(durable_entries_, inside);
  changes_.erase(path);
  directories_.erase(path);
}

void SimFileSystem::MoveDirectory(const std::string& from, const std::string& to) {
  const auto moved = [&](const std::string& path) { return path.empty() ? path : to + path.substr(from.size()); };
  for (Entries* entries : {&entries_, &durable_entries_}) {
    Entries all;
    for (auto& [path, inode] : *entries) all[DirectoryOf(path) == from ? moved(path) : path] = std::move(inode);
    *entries = std::move(all);
  }
  if (const auto found = changes_.find(from); found != changes_.end()) {
    std::vector<Change> changes = std::move(found->second);
    changes_.erase(found);
    for (Change& change : changes) {
      change.from = moved(change.from);
      change.to = moved(change.to);
    }
    changes_[to] = std::move(changes);
  }
  directories_.erase(from);
  directories_.insert(to);
}

void SimFileSystem::Delete(const std::string& path) {
  DROVER_CHECK(entries_.erase(path) == 1) << path;
  durable_entries_.erase(path);
}

void SimFileSystem::FlipBit(const std::string& path, std::uint64_t offset, int bit) {
  const auto entry = entries_.find(path);
  DROVER_CHECK(entry != entries_.end() && offset < entry->second->cached.size()) << path << " at " << offset;
  const char mask = static_cast<char>(1 << bit);
  entry->second->cached[offset] = static_cast<char>(entry->second->cached[offset] ^ mask);
  if (offset < entry->second->durable.size()) {
    entry->second->durable[offset] = static_cast<char>(entry->second->durable[offset] ^ mask);
  }
}

std::unique_ptr<SimFileSystem> SimFileSystem::Copy(std::uint64_t seed) const {
  auto copy = std::make_unique<SimFileSystem>(seed);
  copy->directories_ = directories_;
  for (const auto& [path, inode] : entries_) copy->Write(path, inode->cached);
  return copy;
}

std::uint64_t SimFileSystem::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [path, inode] : entries_) sum += inode->cached.size();
  return sum;
}

}  // namespace drover::sim
