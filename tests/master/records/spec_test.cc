#include "master/records/spec.h"

#include <gtest/gtest.h>

#include "master/records/record_limits.h"

namespace drover::records {
namespace {

task::v1::Policy GoodPolicy() {
  task::v1::Policy policy;
  Normalise(&policy);
  return policy;
}

TEST(SpecTest, AProgramInPlaceAndTheSameProgramInTheStoreHaveOneDigest) {
  task::v1::Program program;
  program.add_argv("true");
  const std::string encoded = EncodeProgram(program);
  task::v1::ObjectRef object;
  object.set_key("input/x/1/program");
  object.set_size(encoded.size());
  object.set_digest(Digest(encoded));
  EXPECT_EQ(SpecDigest(GoodPolicy(), encoded), SpecDigest(GoodPolicy(), object));
  EXPECT_EQ(SpecDigest(GoodPolicy(), encoded).size(), 16U);
}

worker::v1::TaskRecord RecordOf(const task::v1::Policy& policy, const std::string& program) {
  worker::v1::TaskRecord record;
  *record.mutable_policy() = policy;
  record.set_program(program);
  record.set_spec_digest(SpecDigest(policy, absl::string_view(program)));
  return record;
}

TEST(SpecTest, WhatMakesItAnotherSubmissionIsNamed) {
  const worker::v1::TaskRecord known = RecordOf(GoodPolicy(), "p");
  EXPECT_EQ(DifferenceOf(known, known), "");
  EXPECT_EQ(DifferenceOf(known, RecordOf(GoodPolicy(), "q")), "its program differs");
  task::v1::Policy policy = GoodPolicy();
  policy.set_priority(3);
  EXPECT_EQ(DifferenceOf(known, RecordOf(policy, "p")), "its priority differs");
  (*policy.mutable_labels())["gpu"] = "yes";
  policy.set_retry_backoff_ms(0);
  EXPECT_EQ(DifferenceOf(known, RecordOf(policy, "q")), "its program, priority, labels and retry back-off differ");
  policy = GoodPolicy();
  policy.set_retries(1);
  EXPECT_EQ(DifferenceOf(known, RecordOf(policy, "p")), "its retries differ");
}

TEST(SpecTest, TheProgramIsComparedThoughItIsInTheStoreOrNotStoredAtAll) {
  const worker::v1::TaskRecord known = RecordOf(GoodPolicy(), "p");
  worker::v1::TaskRecord in_store = known;
  in_store.clear_program();
  in_store.mutable_program_object()->set_digest(Digest("p"));
  task::v1::Policy policy = GoodPolicy();
  policy.set_time_limit_ms(1000);
  worker::v1::TaskRecord without_program = RecordOf(policy, "p");
  without_program.clear_program();
  EXPECT_EQ(DifferenceOf(known, without_program), "its time limit differs");
  EXPECT_EQ(DifferenceOf(in_store, without_program), "its time limit differs");
  EXPECT_EQ(DifferenceOf(in_store, RecordOf(policy, "q")), "its program and time limit differ");
}

TEST(SpecTest, AnyDifferenceChangesTheDigest) {
  const std::string base = SpecDigest(GoodPolicy(), absl::string_view("p"));
  EXPECT_NE(base, SpecDigest(GoodPolicy(), absl::string_view("q")));
  task::v1::Policy policy = GoodPolicy();
  policy.set_priority(1);
  EXPECT_NE(base, SpecDigest(policy, absl::string_view("p")));
}

TEST(SpecTest, ExitCodesAreASet) {
  task::v1::Policy a = GoodPolicy(), b = GoodPolicy();
  for (const std::uint32_t code : {75, 3, 75}) a.add_retry_exit_codes(code);
  for (const std::uint32_t code : {3, 75}) b.add_retry_exit_codes(code);
  Normalise(&a);
  Normalise(&b);
  EXPECT_EQ(EncodePolicy(a), EncodePolicy(b));
}

TEST(SpecTest, MapsAreWrittenInOneOrder) {
  task::v1::Program a, b;
  for (const char* key : {"A", "B", "C", "D"}) (*a.mutable_env())[key] = "1";
  for (const char* key : {"D", "B", "A", "C"}) (*b.mutable_env())[key] = "1";
  EXPECT_EQ(EncodeProgram(a), EncodeProgram(b));
}

TEST(SpecTest, EachRuleOfAPolicyIsAnswered) {
  using Code = absl::StatusCode;
  const struct {
    const char* what;
    void (*change)(task::v1::Policy*);
    Code code;
  } cases[] = {
      {"good", [](task::v1::Policy*) {}, Code::kOk},
      {"longest name", [](task::v1::Policy* p) { p->set_name(std::string(128, 'n')); }, Code::kOk},
      {"name", [](task::v1::Policy* p) { p->set_name(std::string(129, 'n')); }, Code::kResourceExhausted},
      {"queue", [](task::v1::Policy* p) { p->set_queue("a/b"); }, Code::kInvalidArgument},
      {"priority", [](task::v1::Policy* p) { p->set_priority(10); }, Code::kInvalidArgument},
      {"label key", [](task::v1::Policy* p) { (*p->mutable_labels())["="] = "x"; }, Code::kInvalidArgument},
      {"label value", [](task::v1::Policy* p) { (*p->mutable_labels())["k"] = "\n"; }, Code::kInvalidArgument},
      {"time limit", [](task::v1::Policy* p) { p->set_time_limit_ms(-1); }, Code::kInvalidArgument},
      {"retries", [](task::v1::Policy* p) { p->set_retries(1001); }, Code::kInvalidArgument},
      {"delay", [](task::v1::Policy* p) { p->set_delay_ms(60'000); }, Code::kOk},
      {"negative delay", [](task::v1::Policy* p) { p->set_delay_ms(-1); }, Code::kInvalidArgument},
      {"longest delay", [](task::v1::Policy* p) { p->set_delay_ms(std::int64_t{366} * 86'400'000); }, Code::kOk},
      {"delay over a year", [](task::v1::Policy* p) { p->set_delay_ms(std::int64_t{366} * 86'400'000 + 1); },
       Code::kInvalidArgument},
      {"two starts", [](task::v1::Policy* p) { p->set_delay_ms(1), p->set_start_at_ms(5); }, Code::kInvalidArgument},
      {"start after the deadline", [](task::v1::Policy* p) { p->set_start_at_ms(5), p->set_deadline_ms(5); },
       Code::kInvalidArgument},
      {"start before the deadline", [](task::v1::Policy* p) { p->set_start_at_ms(5), p->set_deadline_ms(6); }, Code::kOk},
      {"deadline", [](task::v1::Policy* p) { p->set_deadline_ms(INT64_MAX); }, Code::kInvalidArgument},
      {"start within", [](task::v1::Policy* p) { p->set_start_within_ms(INT64_MAX); }, Code::kInvalidArgument},
      {"total limit", [](task::v1::Policy* p) { p->set_total_limit_ms(-5); }, Code::kInvalidArgument},
      {"exit codes", [](task::v1::Policy* p) { p->set_retries(1), p->add_retry_exit_codes(255); }, Code::kOk},
      {"exit codes without retries", [](task::v1::Policy* p) { p->add_retry_exit_codes(1); }, Code::kInvalidArgument},
      {"exit code 0", [](task::v1::Policy* p) { p->set_retries(1), p->add_retry_exit_codes(0); }, Code::kInvalidArgument},
      {"exit code 256", [](task::v1::Policy* p) { p->set_retries(1), p->add_retry_exit_codes(256); }, Code::kInvalidArgument},
      {"65 exit codes",
       [](task::v1::Policy* p) {
         p->set_retries(1);
         for (std::uint32_t code = 1; code <= 65; ++code) p->add_retry_exit_codes(code);
       },
       Code::kInvalidArgument},
      {"at most once", [](task::v1::Policy* p) { p->set_at_most_once(true); }, Code::kOk},
      {"at most once, retried", [](task::v1::Policy* p) { p->set_at_most_once(true), p->set_retries(1); }, Code::kInvalidArgument},
      {"17 labels",
       [](task::v1::Policy* p) {
         for (int i = 0; i < 17; ++i) (*p->mutable_labels())["k" + std::to_string(i)] = "v";
       },
       Code::kResourceExhausted},
      {"16 labels of full length",
       [](task::v1::Policy* p) {
         for (int i = 0; i < 16; ++i) (*p->mutable_labels())[std::to_string(i) + std::string(61, 'k')] = std::string(63, 'v');
       },
       Code::kResourceExhausted},
  };
  for (const auto& c : cases) {
    task::v1::Policy policy = GoodPolicy();
    c.change(&policy);
    EXPECT_EQ(CheckPolicy(policy).code(), c.code) << c.what << ": " << CheckPolicy(policy);
  }
}

TEST(SpecTest, ALargePolicyLeavesLessForTheProgramButAlwaysRoomForAReference) {
  task::v1::Policy policy = GoodPolicy();
  EXPECT_EQ(InlineProgramBytesMax(policy), kProgramBytesMax);
  for (int i = 0; i < 14; ++i) (*policy.mutable_labels())[std::to_string(i) + std::string(61, 'k')] = std::string(63, 'v');
  ASSERT_TRUE(CheckPolicy(policy).ok()) << CheckPolicy(policy);
  EXPECT_LT(InlineProgramBytesMax(policy), kProgramBytesMax);
  EXPECT_GE(InlineProgramBytesMax(policy), kObjectRefBytesMax);
}

TEST(SpecTest, EachRuleOfAProgramIsAnswered) {
  const struct {
    const char* what;
    void (*change)(task::v1::Program*);
    bool ok;
  } cases[] = {
      {"good", [](task::v1::Program*) {}, true},
      {"no command", [](task::v1::Program* p) { p->clear_argv(); }, false},
      {"empty argument", [](task::v1::Program* p) { p->add_argv(""); }, true},
      {"NUL", [](task::v1::Program* p) { p->add_argv(std::string("a\0b", 3)); }, false},
      {"variable with =", [](task::v1::Program* p) { (*p->mutable_env())["A=B"] = ""; }, false},
      {"relative cwd", [](task::v1::Program* p) { p->set_cwd("tmp"); }, false},
      {"absolute cwd", [](task::v1::Program* p) { p->set_cwd("/tmp"); }, true},
      {"stdin object without digest", [](task::v1::Program* p) { p->mutable_stdin_object()->set_key("k"); }, false},
  };
  for (const auto& c : cases) {
    task::v1::Program program;
    program.add_argv("true");
    c.change(&program);
    EXPECT_EQ(CheckProgram(program).ok(), c.ok) << c.what;
  }
}

TEST(SpecTest, AStringThatNoKernelTakesIsOverTheLimit) {
  task::v1::Program program;
  program.add_argv("true");
  program.add_argv(std::string((128 << 10) - 1, 'x'));
  (*program.mutable_env())["A"] = std::string((128 << 10) - 3, 'x');
  EXPECT_TRUE(CheckProgram(program).ok()) << CheckProgram(program);
  program.set_argv(1, std::string(128 << 10, 'x'));
  EXPECT_EQ(CheckProgram(program).message(),
            "argument 1 has 131072 bytes, at most 131071: hand larger ones over by standard input");
  EXPECT_TRUE(absl::IsResourceExhausted(CheckProgram(program)));
  program.set_argv(1, "");
  (*program.mutable_env())["A"] = std::string((128 << 10) - 2, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(CheckProgram(program)));
}

}  // namespace
}  // namespace drover::records
