#include "master/records/codec.h"

#include <gtest/gtest.h>

#include <limits>

#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::records {
namespace {

constexpr std::int64_t kLateMs = 4102444800000;  // 2100-01-01

worker::v1::TaskRecord LargestRecord() {
  worker::v1::TaskRecord record;
  record.mutable_policy()->set_queue(std::string(63, 'q'));
  record.mutable_policy()->set_name(std::string(100, 'n'));
  record.set_program(std::string(InlineProgramBytesMax(record.policy()), 'p'));
  record.set_spec_digest(std::string(16, 'd'));
  for (std::uint64_t i = 0; i < 7; ++i) {
    AddAttempt(&record, std::string(63, 'w'), kLateMs);
    EndAttempt(&record, {task::v1::LOST, task::v1::WORKER_LOST_LIMIT, "", (std::uint64_t{1} << 53) - 1, kLateMs, kLateMs, -1, 64});
  }
  record.set_worker(std::string(63, 'w'));
  record.set_sentence(Clip(std::string(500, 's'), kSentenceBytesMax));
  record.set_state(task::v1::LOST);
  record.set_reason(task::v1::WORKER_LOST_LIMIT);
  record.set_attempts_total(std::numeric_limits<std::uint32_t>::max());
  record.set_failures(std::numeric_limits<std::uint32_t>::max());
  record.set_losses(std::numeric_limits<std::uint32_t>::max());
  record.set_submitted_at(kLateMs);
  record.set_finished_at(kLateMs);
  record.set_not_before(kLateMs);
  record.set_eligible_at(kLateMs);
  record.set_submission(std::numeric_limits<std::uint64_t>::max());
  record.set_reruns(std::numeric_limits<std::uint32_t>::max());
  for (auto* stream : {record.mutable_output()->mutable_out(), record.mutable_output()->mutable_err()}) {
    stream->set_data(std::string(kOutputDataBytesMax / 2, 'o'));
    stream->set_size(std::numeric_limits<std::uint64_t>::max());
    stream->set_chunks(std::numeric_limits<std::uint32_t>::max());
  }
  return record;
}

TEST(CodecTest, TheLargestRecordFitsIntoFourKibibytes) {
  const worker::v1::TaskRecord record = LargestRecord();
  EXPECT_TRUE(CheckBounds(record).ok()) << CheckBounds(record);
  EXPECT_LE(Encode(record).size(), kRecordBytesMax);
  EXPECT_GT(Encode(record).size(), kRecordBytesMax - 400);
  // What has no bound of its own.
  std::size_t bounded = record.policy().ByteSizeLong() + record.program().size() + kOutputDataBytesMax + record.sentence().size();
  for (const task::v1::Attempt& attempt : record.attempts()) bounded += attempt.ByteSizeLong() + 3;
  EXPECT_LE(Encode(record).size() - bounded, kFixedBytesMax);
}

TEST(CodecTest, EachPartOverItsBoundIsNamed) {
  const struct {
    const char* part;
    void (*grow)(worker::v1::TaskRecord*);
  } cases[] = {
      {"spec", [](worker::v1::TaskRecord* r) { r->mutable_program()->append(1, 'p'); }},
      {"sentence", [](worker::v1::TaskRecord* r) { r->mutable_sentence()->append(1, 's'); }},
      {"output", [](worker::v1::TaskRecord* r) { r->mutable_output()->mutable_err()->mutable_data()->append(1, 'o'); }},
      {"worker", [](worker::v1::TaskRecord* r) { r->mutable_worker()->append(1, 'w'); }},
      {"attempts", [](worker::v1::TaskRecord* r) { r->add_attempts(); }},
      {"attempt", [](worker::v1::TaskRecord* r) { r->mutable_attempts(0)->set_worker(std::string(150, 'w')); }},
  };
  for (const auto& c : cases) {
    worker::v1::TaskRecord record = LargestRecord();
    c.grow(&record);
    const absl::Status status = CheckBounds(record);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << c.part;
    EXPECT_NE(status.message().find(c.part), absl::string_view::npos) << status;
  }
}

TEST(CodecTest, OnlyTheLastFiveAttemptsAreKeptAndAllAreCounted) {
  worker::v1::TaskRecord record;
  for (int i = 0; i < 7; ++i) AddAttempt(&record, "w", i + 1);
  ASSERT_EQ(record.attempts_size(), 5);
  EXPECT_EQ(record.attempts(0).assigned_at(), 3);
  EXPECT_EQ(record.attempts(4).assigned_at(), 7);
  EXPECT_EQ(record.attempts_total(), 7U);
}

TEST(CodecTest, AnEndIsWrittenIntoTheNewestAttemptAndTheTask) {
  worker::v1::TaskRecord record;
  AddAttempt(&record, "w", 1);
  record.set_worker("w");
  record.mutable_attempts(0)->set_started_at(2);
  const AttemptEnd end{task::v1::FAILED, task::v1::EXIT_CODE, "exit code 3", 77, 0, 9, 3, 0};
  EndAttempt(&record, end);
  EndTask(&record, end);
  EXPECT_EQ(record.attempts(0).fence(), 77U);
  EXPECT_EQ(record.attempts(0).started_at(), 2);
  EXPECT_EQ(record.attempts(0).finished_at(), 9);
  EXPECT_EQ(record.attempts(0).state(), task::v1::FAILED);
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.finished_at(), 9);
  EXPECT_EQ(record.sentence(), "exit code 3");
  EXPECT_TRUE(record.worker().empty());
}

TEST(CodecTest, WhatWaitsSaysUntilWhenAndNothingElseDoes) {
  worker::v1::TaskRecord record;
  record.set_worker("w");
  BackToWaiting(&record, task::v1::EXIT_CODE, "exit code 3", 1'234);
  EXPECT_EQ(record.state(), task::v1::WAITING);
  EXPECT_EQ(record.not_before(), 1'234);
  EXPECT_EQ(record.sentence(), "exit code 3");
  EXPECT_EQ(record.worker(), "");
  worker::v1::TaskRecord ended = record;
  EndTask(&ended, {.state = task::v1::CANCELLED});
  EXPECT_EQ(ended.not_before(), 0);
  BackToReady(&record, record.reason(), std::string(record.sentence()));
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.not_before(), 0);
  EXPECT_EQ(record.sentence(), "exit code 3");
}

TEST(CodecTest, ANewAttemptDropsWhatIsSaidOfTheFormerOnesOutput) {
  worker::v1::TaskRecord record;
  AddAttempt(&record, "w", 1);
  record.mutable_output()->mutable_out()->set_data("of the first");
  AddAttempt(&record, "w", 2);
  EXPECT_FALSE(record.has_output());
}

TEST(CodecTest, ClipKeepsWholeCharactersAndDropsWhatIsNoText) {
  EXPECT_EQ(Clip("abc", 2), "ab");
  EXPECT_EQ(Clip("a\xc3\xa4", 2), "a");
  EXPECT_EQ(Clip("a\xc3\xa4", 3), "a\xc3\xa4");
  EXPECT_EQ(Clip("a\xff\xfe"
                 "b",
                 10),
            "ab");
  EXPECT_EQ(Clip("\xed\xa0\x80x", 10), "x");
}

TEST(CodecTest, ForeignBytesAreDataLoss) {
  EXPECT_EQ(DecodeTaskRecord("\xff\xff").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeWorkerInfo("hello").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace drover::records
