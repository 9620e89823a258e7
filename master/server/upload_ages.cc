#include "master/server/upload_ages.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace drover::master::server {
namespace {

std::string Hours(std::int64_t ms) {
  return absl::StrFormat("%.3g h", static_cast<double>(ms) / 3'600'000);
}

}  // namespace

absl::Status CheckAges(const UploadAges& ages) {
  if (ages.submit_max > base::Duration{0} && ages.kept >= 2 * ages.submit_max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "an upload is kept twice as long as a submission may refer to it, or longer: else a slow master could remove what is needed");
}

absl::Status CheckUpload(const store::Listed& upload, std::int64_t now_ms, const UploadAges& ages) {
  const std::int64_t age_ms = now_ms - upload.modified.value;
  const std::int64_t age_ms_max = base::ToMillis(ages.submit_max);
  if (age_ms <= age_ms_max) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("its input ", upload.key, " was uploaded ", Hours(age_ms), " ago, at most ",
                                                    Hours(age_ms_max), " before its submission: upload it again"));
}

bool IsOldUpload(const store::Listed& upload, std::int64_t now_ms, const UploadAges& ages) {
  return now_ms - upload.modified.value > base::ToMillis(ages.kept);
}

bool MayReferTo(const worker::v1::TaskRecord& record, const std::string& key) {
  if (record.has_program_object()) return true;
  task::v1::Program program;
  return !program.ParseFromString(record.program()) || program.stdin_object().key() == key;
}

}  // namespace drover::master::server
