#include "master/records/queue_settings.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "master/records/record_limits.h"

namespace drover::records {
namespace {

absl::Status CheckMax(const char* what, std::uint32_t value, std::uint32_t max) {
  if (value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " of ", value, " is over ", max));
}

}  // namespace

task::v1::QueueSettings Changed(task::v1::QueueSettings settings, const task::v1::SetQueueRequest& change) {
  if (change.has_weight()) settings.set_weight(change.weight());
  if (change.has_running_max()) settings.set_running_max(change.running_max());
  if (change.has_starts_per_second()) settings.set_starts_per_second(change.starts_per_second());
  if (change.has_burst()) settings.set_burst(change.burst());
  if (change.has_paused()) settings.set_paused(change.paused());
  if (change.has_placement()) settings.set_placement(change.placement());
  if (change.has_waiting_max()) settings.set_waiting_max(change.waiting_max());
  return settings;
}

absl::Status CheckQueueSettings(const task::v1::QueueSettings& settings) {
  DROVER_RETURN_IF_ERROR(CheckMax("a weight", settings.weight(), kQueueWeightMax));
  DROVER_RETURN_IF_ERROR(CheckMax("a cap of running tasks", settings.running_max(), kQueueRunningMax));
  DROVER_RETURN_IF_ERROR(CheckMax("a burst", settings.burst(), kQueueBurstMax));
  DROVER_RETURN_IF_ERROR(CheckMax("a cap of waiting tasks", settings.waiting_max(), kQueueWaitingMax));
  const double rate = settings.starts_per_second();
  if (!std::isfinite(rate) || rate < 0 || (rate > 0 && rate < kQueueRateMin) || rate > kQueueRateMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a rate of ", rate, " starts per second is not in ", kQueueRateMin, "..", kQueueRateMax, " (0: no limit)"));
  }
  if (!task::v1::QueueSettings::Placement_IsValid(settings.placement())) {
    return absl::InvalidArgumentError("placement is SPREAD or PACK");
  }
  return absl::OkStatus();
}

}  // namespace drover::records
