#include "master/records/codec.h"

#include "absl/strings/str_cat.h"
#include "master/records/encode.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::records {
namespace {

template <typename Message>
absl::StatusOr<Message> Decode(absl::string_view bytes, absl::string_view what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(absl::StrCat("these bytes are no ", what));
  }
  return message;
}

absl::Status Over(absl::string_view part, std::size_t size, std::size_t size_max) {
  return absl::InternalError(absl::StrCat("a task record's ", part, " has ", size, " bytes, at most ", size_max));
}

// Length of the valid UTF-8 character at the start of `s`, or 0.
std::size_t CharacterLength(absl::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  std::uint32_t code = 0;
  std::uint32_t code_min = 0;
  if ((lead & 0xE0) == 0xC0) {
    size = 2, code = lead & 0x1F, code_min = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    size = 3, code = lead & 0x0F, code_min = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    size = 4, code = lead & 0x07, code_min = 0x10000;
  } else {
    return 0;
  }
  if (s.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < code_min || code > 0x10FFFF || surrogate ? 0 : size;
}

}  // namespace

std::string Encode(const worker::v1::TaskRecord& record) {
  return EncodeDeterministically(record);
}
std::string Encode(const worker::v1::Assignment& assignment) {
  return EncodeDeterministically(assignment);
}
std::string Encode(const worker::v1::WorkerInfo& info) {
  return EncodeDeterministically(info);
}
std::string Encode(const worker::v1::CandidateInfo& info) {
  return EncodeDeterministically(info);
}
std::string Encode(const worker::v1::Died& died) {
  return EncodeDeterministically(died);
}
std::string Encode(const worker::v1::StoreInfo& store) {
  return EncodeDeterministically(store);
}
std::string Encode(const worker::v1::Horizon& horizon) {
  return EncodeDeterministically(horizon);
}
std::string Encode(const worker::v1::Drain& drain) {
  return EncodeDeterministically(drain);
}
std::string Encode(const task::v1::QueueSettings& settings) {
  return EncodeDeterministically(settings);
}
std::string Encode(const worker::v1::ScheduleRecord& schedule) {
  return EncodeDeterministically(schedule);
}
std::string Encode(const worker::v1::ArrayChunk& chunk) {
  return EncodeDeterministically(chunk);
}

absl::StatusOr<worker::v1::TaskRecord> DecodeTaskRecord(absl::string_view bytes) {
  return Decode<worker::v1::TaskRecord>(bytes, "task record");
}
absl::StatusOr<worker::v1::Assignment> DecodeAssignment(absl::string_view bytes) {
  return Decode<worker::v1::Assignment>(bytes, "assignment");
}
absl::StatusOr<worker::v1::WorkerInfo> DecodeWorkerInfo(absl::string_view bytes) {
  return Decode<worker::v1::WorkerInfo>(bytes, "worker registration");
}
absl::StatusOr<worker::v1::CandidateInfo> DecodeCandidateInfo(absl::string_view bytes) {
  return Decode<worker::v1::CandidateInfo>(bytes, "candidate registration");
}
absl::StatusOr<worker::v1::Died> DecodeDied(absl::string_view bytes) {
  return Decode<worker::v1::Died>(bytes, "death notice");
}
absl::StatusOr<worker::v1::StoreInfo> DecodeStoreInfo(absl::string_view bytes) {
  return Decode<worker::v1::StoreInfo>(bytes, "store description");
}
absl::StatusOr<worker::v1::Horizon> DecodeHorizon(absl::string_view bytes) {
  return Decode<worker::v1::Horizon>(bytes, "horizon");
}
absl::StatusOr<worker::v1::Drain> DecodeDrain(absl::string_view bytes) {
  return Decode<worker::v1::Drain>(bytes, "drain");
}
absl::StatusOr<task::v1::QueueSettings> DecodeQueueSettings(absl::string_view bytes) {
  return Decode<task::v1::QueueSettings>(bytes, "queue's settings");
}

absl::StatusOr<worker::v1::ScheduleRecord> DecodeScheduleRecord(absl::string_view bytes) {
  return Decode<worker::v1::ScheduleRecord>(bytes, "schedule");
}

absl::StatusOr<worker::v1::ArrayChunk> DecodeArrayChunk(absl::string_view bytes) {
  return Decode<worker::v1::ArrayChunk>(bytes, "states of an array's elements");
}

absl::Status CheckBounds(const worker::v1::TaskRecord& record) {
  const std::size_t spec = record.policy().ByteSizeLong() + record.program().size() + record.program_object().ByteSizeLong();
  if (spec > kSpecBytesMax) return Over("spec", spec, kSpecBytesMax);
  if (record.program().size() > kProgramBytesMax) return Over("program", record.program().size(), kProgramBytesMax);
  if (record.attempts_size() > static_cast<int>(kAttemptsMax)) {
    return absl::InternalError(absl::StrCat("a task record has ", record.attempts_size(), " attempts, at most ", kAttemptsMax));
  }
  for (const task::v1::Attempt& attempt : record.attempts()) {
    const std::size_t size = attempt.ByteSizeLong() + 3;
    if (size > kAttemptBytesMax) return Over("attempt", size, kAttemptBytesMax);
  }
  const std::size_t output =
      record.output().out().data().size() + record.output().err().data().size() + record.output().result().data().size();
  if (output > kOutputDataBytesMax) return Over("output", output, kOutputDataBytesMax);
  if (record.sentence().size() > kSentenceBytesMax) return Over("sentence", record.sentence().size(), kSentenceBytesMax);
  if (record.worker().size() > kNameBytesMax) return Over("worker", record.worker().size(), kNameBytesMax);
  const std::size_t total = record.ByteSizeLong();
  if (total > kRecordBytesMax) return Over("whole", total, kRecordBytesMax);
  return absl::OkStatus();
}

bool IsTerminal(task::v1::State state) {
  return state == task::v1::SUCCEEDED || state == task::v1::FAILED || state == task::v1::CANCELLED || state == task::v1::LOST;
}

const worker::v1::OutputStream& StreamOf(const worker::v1::Output& output, task::v1::Stream stream) {
  switch (stream) {
    case task::v1::STDERR:
      return output.err();
    case task::v1::RESULT:
      return output.result();
    default:
      return output.out();
  }
}

std::string Clip(absl::string_view text, std::size_t bytes_max) {
  std::string clipped;
  while (!text.empty()) {
    const std::size_t size = CharacterLength(text);
    if (size == 0) {
      text.remove_prefix(1);
      continue;
    }
    if (clipped.size() + size > bytes_max) break;
    absl::StrAppend(&clipped, text.substr(0, size));
    text.remove_prefix(size);
  }
  return clipped;
}

task::v1::Attempt* AddAttempt(worker::v1::TaskRecord* record, absl::string_view worker, std::int64_t assigned_at_ms) {
  const int excess = record->attempts_size() + 1 - static_cast<int>(kAttemptsMax);
  if (excess > 0) record->mutable_attempts()->DeleteSubrange(0, excess);
  task::v1::Attempt* attempt = record->add_attempts();
  attempt->set_worker(Clip(worker, kNameBytesMax));
  attempt->set_assigned_at(assigned_at_ms);
  attempt->set_state(task::v1::ASSIGNED);
  record->set_attempts_total(record->attempts_total() + 1);
  record->clear_output();
  return attempt;
}

void SucceedTo(const worker::v1::TaskRecord& ended, worker::v1::TaskRecord* next) {
  *next->mutable_attempts() = ended.attempts();
  next->set_attempts_total(ended.attempts_total());
  if (ended.has_output()) *next->mutable_output() = ended.output();
  next->set_reruns(ended.reruns() + 1);
}

void EndAttempt(worker::v1::TaskRecord* record, const AttemptEnd& end) {
  if (record->attempts_size() == 0) return;
  task::v1::Attempt* attempt = record->mutable_attempts(record->attempts_size() - 1);
  attempt->set_fence(end.fence);
  if (end.started_at_ms != 0) attempt->set_started_at(end.started_at_ms);
  attempt->set_finished_at(end.finished_at_ms);
  attempt->set_state(end.state);
  attempt->set_reason(end.reason);
  attempt->set_exit_code(end.exit_code);
  attempt->set_signal(end.signal);
}

void EndTask(worker::v1::TaskRecord* record, const AttemptEnd& end) {
  record->set_state(end.state);
  record->set_reason(end.reason);
  record->set_sentence(Clip(end.sentence, kSentenceBytesMax));
  record->set_finished_at(end.finished_at_ms);
  record->clear_worker();
  record->clear_not_before();
  record->clear_awaits();
  record->clear_closing();
}

void BackToReady(worker::v1::TaskRecord* record, task::v1::Reason reason, absl::string_view sentence) {
  record->set_state(task::v1::READY);
  record->set_reason(reason);
  record->set_sentence(Clip(sentence, kSentenceBytesMax));
  record->clear_worker();
  record->clear_not_before();
  record->clear_awaits();
}

void BackToWaiting(worker::v1::TaskRecord* record, task::v1::Reason reason, absl::string_view sentence,
                   std::int64_t not_before_ms) {
  BackToReady(record, reason, sentence);
  record->set_state(task::v1::WAITING);
  record->set_not_before(not_before_ms);
}

}  // namespace drover::records
