// How large each part of a task record may be. The parts are bounded one by one so that an outcome always fits: whatever a client
// submitted, its worker can still write output, sentence and attempts, and the whole stays below 4 KiB.
#ifndef DROVER_MASTER_RECORDS_RECORD_LIMITS_H_
#define DROVER_MASTER_RECORDS_RECORD_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace drover::records {

inline constexpr std::size_t kRecordBytesMax = 4096;

// An encoded Program inside the record; a larger one is in the store.
inline constexpr std::size_t kProgramBytesMax = 2048;
// Policy and program, or policy and object reference, together. A policy with many labels leaves less for the program, which then
// goes to the store earlier (InlineProgramBytesMax).
inline constexpr std::size_t kSpecBytesMax = 2168;
// An encoded ObjectRef: a key of at most 160 bytes, a size and a digest.
inline constexpr std::size_t kObjectKeyBytesMax = 160;
inline constexpr std::size_t kObjectRefBytesMax = kObjectKeyBytesMax + 3 + 11 + 18;
inline constexpr std::size_t kPolicyBytesMax = kSpecBytesMax - kObjectRefBytesMax;

// The last attempts that are kept, each encoded with its header in the record.
inline constexpr std::size_t kAttemptsMax = 5;
inline constexpr std::size_t kAttemptBytesMax = 160;
// Standard output and standard error together, in the record; more is in the store.
inline constexpr std::size_t kOutputDataBytesMax = 768;
inline constexpr std::size_t kSentenceBytesMax = 128;
// Reason of a cancellation, in the assignment.
inline constexpr std::size_t kCancelReasonBytesMax = 100;
// What a program says of its progress, there, too.
inline constexpr std::size_t kProgressTextBytesMax = 100;

// Headers, digest, numbers, times, the worker's name, sizes and chunk counts of the output.
inline constexpr std::size_t kFixedBytesMax = 230;

static_assert(kSpecBytesMax + kAttemptsMax * kAttemptBytesMax + kOutputDataBytesMax + kSentenceBytesMax + kFixedBytesMax <=
              kRecordBytesMax);
static_assert(kProgramBytesMax <= kSpecBytesMax);

// Of the policy.
inline constexpr std::size_t kTaskNameBytesMax = 128;
inline constexpr std::size_t kLabelsMax = 16;
inline constexpr std::size_t kLabelRulesMax = 16;
inline constexpr std::size_t kRuleValuesMax = 16;
inline constexpr std::size_t kResourcesMax = 8;
inline constexpr std::int64_t kResourceMax = std::int64_t{1} << 60;  // thousandths: a petabyte of memory
inline constexpr unsigned kTaskKeyRunningMax = 1'000'000;
inline constexpr std::size_t kDependenciesMax = 32;

// Of arrays.
inline constexpr std::uint32_t kArrayIndexMax = 9'999'999;
inline constexpr std::uint32_t kArrayElementsMax = 1'000'000;
inline constexpr int kArrayRangesMax = 64;
inline constexpr std::size_t kArrayIdBytesMax = 119;  // ":<index>" follows
inline constexpr std::uint32_t kArrayChunkElements = 4'096;

inline constexpr unsigned kPriorityMax = 9;
inline constexpr unsigned kRetriesMax = 1000;
inline constexpr std::size_t kRetryExitCodesMax = 64;

// Of a queue's settings, and how many queues may have some.
inline constexpr unsigned kQueueWeightMax = 1'000;
inline constexpr unsigned kQueueRunningMax = 1'000'000;
inline constexpr double kQueueRateMin = 0.001;
inline constexpr double kQueueRateMax = 100'000;
inline constexpr unsigned kQueueBurstMax = 10'000;
inline constexpr unsigned kQueueWaitingMax = 1'000'000'000;
inline constexpr std::size_t kQueuesMax = 1'000;
inline constexpr std::size_t kPoolWaitingMax = 100'000'000;

// Of schedules.
inline constexpr std::size_t kSchedulesMax = 10'000;
inline constexpr std::size_t kCronBytesMax = 256;
inline constexpr std::int64_t kEveryMinMs = 1'000;
inline constexpr std::size_t kMissedMax = 100;

// Of a request.
inline constexpr std::size_t kObjectBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kUploadChunkBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kBatchTasksMax = 1000;
inline constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20;

// Losses after which a task is a suspect and runs alone on its worker, and after which it is given up.
inline constexpr unsigned kLossesSuspect = 2;
inline constexpr unsigned kLossesQuarantine = 5;

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_RECORD_LIMITS_H_
