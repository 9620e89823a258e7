// Records as bytes, and the few ways in which a record is changed. Everybody who writes a record does it through these, so that no
// record outgrows its bounds (record_limits.h).
//
// Pure functions over generated messages; any thread.
#ifndef DROVER_MASTER_RECORDS_CODEC_H_
#define DROVER_MASTER_RECORDS_CODEC_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::records {

// Deterministic bytes. A record within its bounds (CheckBounds) never exceeds kRecordBytesMax.
[[nodiscard]] std::string Encode(const worker::v1::TaskRecord& record);
[[nodiscard]] std::string Encode(const worker::v1::Assignment& assignment);
[[nodiscard]] std::string Encode(const worker::v1::WorkerInfo& info);
[[nodiscard]] std::string Encode(const worker::v1::CandidateInfo& info);
[[nodiscard]] std::string Encode(const worker::v1::Died& died);
[[nodiscard]] std::string Encode(const worker::v1::StoreInfo& store);
[[nodiscard]] std::string Encode(const worker::v1::Horizon& horizon);
[[nodiscard]] std::string Encode(const worker::v1::Drain& drain);
[[nodiscard]] std::string Encode(const task::v1::QueueSettings& settings);
[[nodiscard]] std::string Encode(const worker::v1::ScheduleRecord& schedule);
[[nodiscard]] std::string Encode(const worker::v1::ArrayChunk& chunk);

// DATA_LOSS for bytes that are no such message: somebody wrote there by hand.
[[nodiscard]] absl::StatusOr<worker::v1::TaskRecord> DecodeTaskRecord(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::Assignment> DecodeAssignment(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::WorkerInfo> DecodeWorkerInfo(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::CandidateInfo> DecodeCandidateInfo(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::Died> DecodeDied(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::StoreInfo> DecodeStoreInfo(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::Horizon> DecodeHorizon(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::Drain> DecodeDrain(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<task::v1::QueueSettings> DecodeQueueSettings(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::ScheduleRecord> DecodeScheduleRecord(absl::string_view bytes);
[[nodiscard]] absl::StatusOr<worker::v1::ArrayChunk> DecodeArrayChunk(absl::string_view bytes);

// INTERNAL naming the first part over its bound. What the functions below produce never is.
[[nodiscard]] absl::Status CheckBounds(const worker::v1::TaskRecord& record);

[[nodiscard]] bool IsTerminal(task::v1::State state);

// What an attempt left of this stream, one that there is.
[[nodiscard]] const worker::v1::OutputStream& StreamOf(const worker::v1::Output& output, task::v1::Stream stream);

// Cuts at a character's border (UTF-8), never inside one; drops bytes that are no UTF-8 (a proto string must be).
[[nodiscard]] std::string Clip(absl::string_view text, std::size_t bytes_max);

// Appends an attempt as the newest (state ASSIGNED), dropping the oldest beyond kAttemptsMax, and counts it. What the record says
// of output goes: it is of the attempt before.
task::v1::Attempt* AddAttempt(worker::v1::TaskRecord* record, absl::string_view worker, std::int64_t assigned_at_ms);

// How an attempt ended, for whoever commits it: worker or master.
struct AttemptEnd {
  task::v1::State state = task::v1::STATE_UNSPECIFIED;  // how the attempt ended: a terminal state
  task::v1::Reason reason = task::v1::NONE;
  std::string sentence;
  std::uint64_t fence = 0;
  std::int64_t started_at_ms = 0;  // 0: leaves what the record says
  std::int64_t finished_at_ms = 0;
  std::int32_t exit_code = -1;
  std::int32_t signal = 0;
};

// `next`, READY, as the task that `ended` was: what remains of that are its attempts and its output.
void SucceedTo(const worker::v1::TaskRecord& ended, worker::v1::TaskRecord* next);

// Writes the end into the newest attempt. The record's own state is set by one of those below.
void EndAttempt(worker::v1::TaskRecord* record, const AttemptEnd& end);
// The task ends with `end` (state, reason, sentence, time).
void EndTask(worker::v1::TaskRecord* record, const AttemptEnd& end);
// The task goes back to be run again: READY, no worker. The reason and sentence say why it is there.
void BackToReady(worker::v1::TaskRecord* record, task::v1::Reason reason, absl::string_view sentence);
// The same, but not before a time (milliseconds since 1970, the cluster's): WAITING until its master makes it READY.
void BackToWaiting(worker::v1::TaskRecord* record, task::v1::Reason reason, absl::string_view sentence, std::int64_t not_before_ms);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_CODEC_H_
