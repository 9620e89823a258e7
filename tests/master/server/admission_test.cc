#include "master/server/admission.h"

#include <gtest/gtest.h>

#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::master::server {
namespace {

task::v1::TaskSpec Good() {
  task::v1::TaskSpec spec;
  spec.set_id("a");
  spec.mutable_program()->add_argv("true");
  return spec;
}

TEST(AdmissionTest, EachRuleHasItsAnswer) {
  using Code = absl::StatusCode;
  const struct {
    const char* name;
    void (*change)(task::v1::TaskSpec*);
    Code code;
    const char* words;
  } cases[] = {
      {"good", [](task::v1::TaskSpec*) {}, Code::kOk, ""},
      {"no id", [](task::v1::TaskSpec* s) { s->clear_id(); }, Code::kInvalidArgument, "a task id is"},
      {"bad id", [](task::v1::TaskSpec* s) { s->set_id("a/b"); }, Code::kInvalidArgument, "a task id is"},
      {"long id", [](task::v1::TaskSpec* s) { s->set_id(std::string(129, 'x')); }, Code::kInvalidArgument, "a task id is"},
      {"no program", [](task::v1::TaskSpec* s) { s->clear_program(); }, Code::kInvalidArgument, "either a program or a reference"},
      {"both", [](task::v1::TaskSpec* s) { s->mutable_program_object()->set_key("k"); }, Code::kInvalidArgument,
       "either a program or a reference"},
      {"no command", [](task::v1::TaskSpec* s) { s->mutable_program()->clear_argv(); }, Code::kInvalidArgument, "argv[0]"},
      {"command and handler", [](task::v1::TaskSpec* s) { s->mutable_program()->set_handler("h"); }, Code::kInvalidArgument,
       "either a handler or a command"},
      {"bad handler",
       [](task::v1::TaskSpec* s) {
         s->mutable_program()->clear_argv();
         s->mutable_program()->set_handler("a/b");
       },
       Code::kInvalidArgument, "a handler's name is"},
      {"array id",
       [](task::v1::TaskSpec* s) {
         s->set_id(std::string(120, 'x'));
         s->mutable_policy()->mutable_array()->add_ranges();
       },
       Code::kResourceExhausted, "an array's id has 120 bytes"},
      {"empty array", [](task::v1::TaskSpec* s) { s->mutable_policy()->mutable_array(); }, Code::kInvalidArgument,
       "an array has elements"},
      {"priority", [](task::v1::TaskSpec* s) { s->mutable_policy()->set_priority(10); }, Code::kInvalidArgument, "priority 10"},
      {"long name", [](task::v1::TaskSpec* s) { s->mutable_policy()->set_name(std::string(129, 'n')); }, Code::kResourceExhausted,
       "at most 128"},
      {"at most once with retries",
       [](task::v1::TaskSpec* s) {
         s->mutable_policy()->set_at_most_once(true);
         s->mutable_policy()->set_retries(1);
       },
       Code::kInvalidArgument, "at most once"},
      {"object too large",
       [](task::v1::TaskSpec* s) {
         s->clear_program();
         s->mutable_program_object()->set_key("k");
         s->mutable_program_object()->set_digest(std::string(16, 'd'));
         s->mutable_program_object()->set_size(records::kObjectBytesMax + 1);
       },
       Code::kResourceExhausted, "at most 67108864"},
  };
  for (const auto& c : cases) {
    task::v1::TaskSpec spec = Good();
    c.change(&spec);
    const auto admitted = Admit(spec, 5);
    EXPECT_EQ(admitted.status().code(), c.code) << c.name << ": " << admitted.status();
    EXPECT_NE(admitted.status().message().find(c.words), absl::string_view::npos) << c.name << ": " << admitted.status();
  }
}

TEST(AdmissionTest, AnAdmittedTaskIsReadyAndDigested) {
  const auto admitted = Admit(Good(), 5);
  ASSERT_TRUE(admitted.ok());
  EXPECT_EQ(admitted->record.state(), task::v1::READY);
  EXPECT_EQ(admitted->record.submitted_at(), 5);
  EXPECT_EQ(admitted->record.policy().queue(), "default");
  EXPECT_EQ(admitted->record.spec_digest().size(), 16U);
  EXPECT_TRUE(admitted->program_to_store.empty());
}

TEST(AdmissionTest, AHandlerIsAskedForByALabelOnce) {
  task::v1::TaskSpec spec = Good();
  spec.mutable_program()->clear_argv();
  spec.mutable_program()->set_handler("resize");
  const auto plain = Admit(spec, 5);
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_EQ(plain->record.policy().rules_size(), 1);
  EXPECT_EQ(plain->record.policy().rules(0).label(), "handler/resize");
  EXPECT_EQ(plain->record.policy().rules(0).op(), task::v1::LabelRule::EXISTS);
  // As a client that has added it already: the same submission.
  records::RequireHandler("resize", spec.mutable_policy());
  const auto added = Admit(spec, 5);
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->record.policy().rules_size(), 1);
  EXPECT_EQ(added->record.spec_digest(), plain->record.spec_digest());
}

TEST(AdmissionTest, AProgramThatDoesNotFitGoesToTheStoreWithTheSameDigest) {
  task::v1::TaskSpec spec = Good();
  spec.mutable_program()->add_argv(std::string(3000, 'x'));
  const auto admitted = Admit(spec, 5);
  ASSERT_TRUE(admitted.ok());
  EXPECT_TRUE(admitted->record.program().empty());
  ASSERT_FALSE(admitted->program_to_store.empty());
  task::v1::TaskSpec by_reference;
  by_reference.set_id("a");
  by_reference.mutable_program_object()->set_key("input/a/1");
  by_reference.mutable_program_object()->set_size(admitted->program_to_store.size());
  by_reference.mutable_program_object()->set_digest(records::Digest(admitted->program_to_store));
  EXPECT_EQ(Admit(by_reference, 6)->record.spec_digest(), admitted->record.spec_digest());
}

TEST(AdmissionTest, AnUploadOfAnotherTaskIsRefusedByName) {
  task::v1::TaskSpec spec;
  spec.set_id("a");
  task::v1::ObjectRef* object = spec.mutable_program_object();
  object->set_digest(std::string(16, 'd'));
  for (const char* theirs : {"input/b/1", "input/ab/1", "input/a", "output/a/1", "marker"}) {
    object->set_key(theirs);
    EXPECT_EQ(Admit(spec, 5).status().code(), absl::StatusCode::kInvalidArgument) << theirs;
  }
  object->set_key("input/a/1");
  EXPECT_EQ(Admit(spec, 5)->uploads, std::vector<std::string>{"input/a/1"});
  task::v1::TaskSpec with_input = Good();
  *with_input.mutable_program()->mutable_stdin_object() = *object;
  with_input.set_id("a");
  EXPECT_EQ(Admit(with_input, 5)->uploads, std::vector<std::string>{"input/a/1"});
  with_input.set_id("b");
  EXPECT_EQ(Admit(with_input, 5).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AdmissionTest, ABatchHasLimits) {
  task::v1::SubmitRequest request;
  for (int i = 0; i < 1000; ++i) request.add_tasks();
  EXPECT_TRUE(CheckBatch(request, 100).ok());
  EXPECT_EQ(CheckBatch(request, records::kBatchBytesMax + 1).code(), absl::StatusCode::kResourceExhausted);
  request.add_tasks();
  EXPECT_EQ(CheckBatch(request, 100).code(), absl::StatusCode::kResourceExhausted);
  task::v1::SubmitRequest one;
  one.add_tasks();
  EXPECT_TRUE(CheckBatch(one, 10u << 20).ok()) << "its program goes to the store";
}

TEST(AdmissionTest, AReasonForACancellationIsShort) {
  EXPECT_TRUE(CheckCancelReason(std::string(100, 'r')).ok());
  EXPECT_EQ(CheckCancelReason(std::string(101, 'r')).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace drover::master::server
