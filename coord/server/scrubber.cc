#include "coord/server/scrubber.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/log/inspect.h"

namespace drover::coord::server {
namespace {

constexpr base::Duration kDay = std::chrono::hours(24);

// Everything once, as the disk has it.
absl::Status ReadAll(base::FileSystem* files, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files->List(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) files->Forget(absl::StrCat(directory, "/", name));
  log::InspectVisitor nobody;
  const absl::StatusOr<log::Inspection> inspection = log::Inspect(files, directory, &nobody);
  if (!inspection.ok()) return inspection.status();
  return inspection->damaged_snapshots.empty() ? absl::OkStatus() : inspection->damaged_snapshots.front();
}

// The node writes meanwhile, and what is half written may look damaged: then it does not look the same twice.
absl::Status ReadAllTwiceIfDamaged(base::FileSystem* files, const std::string& directory) {
  const absl::Status first = ReadAll(files, directory);
  if (!absl::IsDataLoss(first)) return first;
  const absl::Status second = ReadAll(files, directory);
  if (second == first || !absl::IsDataLoss(second)) return second;
  return absl::AbortedError(second.message());
}

}  // namespace

Scrubber::Scrubber(SnapshotSeams seams, const Options& options, Found found)
    : seams_(std::move(seams)),
      options_(options),
      found_(std::move(found)),
      timer_(seams_.loop),
      self_(std::make_shared<Scrubber*>(this)) {}

Scrubber::~Scrubber() {
  *self_ = nullptr;
}

void Scrubber::Start(base::Random* random) {
  if (options_.every == base::Duration::zero()) return;
  After(options_.every - base::Duration(random->Below(static_cast<std::uint64_t>(options_.every.count() / 2 + 1))));
}

void Scrubber::LookSoon() {
  if (std::exchange(wanted_, true) || looking_) return;
  After(options_.again);
}

void Scrubber::After(base::Duration pause) {
  timer_.Set(pause, [this] { Look(); });
}

void Scrubber::Look() {
  looking_ = true;
  wanted_ = false;
  began_ = seams_.loop->Now();
  const auto status = std::make_shared<absl::Status>();
  seams_.executor->Submit(
      [status, files = seams_.files, directory = seams_.directory] { *status = ReadAllTwiceIfDamaged(files, directory); },
      [status, self = self_] {
        if (*self != nullptr) (*self)->OnLooked(*status);
      });
}

void Scrubber::OnLooked(const absl::Status& status) {
  looking_ = false;
  if (!status.ok() && !absl::IsDataLoss(status)) return After(options_.again);
  const base::Duration every = options_.every == base::Duration::zero() ? kDay : options_.every;
  again_ = status.ok() ? base::Duration::zero() : std::min(std::max(options_.again, 2 * again_), every);
  if (!status.ok()) {
    After(again_);
  } else if (wanted_) {
    After(options_.again);  // that was met while it looked
  } else if (options_.every != base::Duration::zero()) {
    After(options_.every);
  }
  found_(status, seams_.loop->Now() - began_);
}

}  // namespace drover::coord::server
