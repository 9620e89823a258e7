#include "master/records/dependency.h"

#include <gtest/gtest.h>

#include <optional>

#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::records {
namespace {

using task::v1::Dependency;

TEST(DependencyTest, AsTheyAreWritten) {
  EXPECT_EQ(ParseDependency("a")->condition(), Dependency::SUCCESS);
  EXPECT_EQ(ParseDependency("a:success")->condition(), Dependency::SUCCESS);
  EXPECT_EQ(ParseDependency("a.b-1:failure")->condition(), Dependency::FAILURE);
  EXPECT_EQ(ParseDependency("a.b-1:failure")->task(), "a.b-1");
  EXPECT_EQ(ParseDependency("a:end")->condition(), Dependency::END);
  for (const char* text : {"", ":end", "a:", "a:done", "a b", "a:end:end", "a/b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDependency(text).status())) << text;
  }
}

TEST(DependencyTest, HowATaskEndsMeetsSomeConditionsAndRulesOutOthers) {
  struct Row {
    std::optional<task::v1::State> state;
    const char* met;  // success, failure, end: + met, - never, ? open
  };
  for (const Row& row : {Row{task::v1::WAITING, "???"}, Row{task::v1::READY, "???"}, Row{task::v1::ASSIGNED, "???"},
                         Row{task::v1::RUNNING, "???"}, Row{task::v1::SUCCEEDED, "+-+"}, Row{task::v1::FAILED, "-++"},
                         Row{task::v1::LOST, "-++"}, Row{task::v1::CANCELLED, "--+"}, Row{std::nullopt, "---"}}) {
    std::string shown;
    for (const auto condition : {Dependency::SUCCESS, Dependency::FAILURE, Dependency::END}) {
      Dependency dependency;
      dependency.set_task("a");
      dependency.set_condition(condition);
      const DependencyVerdict verdict = Judge(dependency, row.state);
      shown += verdict == DependencyVerdict::kMet ? "+" : verdict == DependencyVerdict::kNever ? "-" : "?";
    }
    EXPECT_EQ(shown, row.met) << row.state.value_or(task::v1::STATE_UNSPECIFIED);
  }
  Dependency on_success;
  on_success.set_task("a");
  EXPECT_EQ(WhyNever(on_success, task::v1::FAILED), "task a, on which it depends, has FAILED");
  EXPECT_EQ(WhyNever(on_success, task::v1::LOST), "task a, on which it depends, is LOST");
  EXPECT_EQ(WhyNever(on_success, task::v1::CANCELLED), "task a, on which it depends, was CANCELLED");
  EXPECT_EQ(WhyNever(on_success, task::v1::SUCCEEDED), "task a, on which it depends, has not failed");
  EXPECT_EQ(WhyNever(on_success, std::nullopt), "task a, on which it depends, is not there");
}

task::v1::Policy After(const std::vector<std::string>& texts) {
  task::v1::Policy policy;
  for (const std::string& text : texts) *policy.add_dependencies() = *ParseDependency(text);
  Normalise(&policy);
  return policy;
}

TEST(DependencyTest, TheirOrderSaysNothingAndEachTaskIsNamedOnce) {
  EXPECT_EQ(EncodePolicy(After({"b", "a:end"})), EncodePolicy(After({"a:end", "b"})));
  EXPECT_NE(EncodePolicy(After({"b", "a:end"})), EncodePolicy(After({"a", "b"})));
  EXPECT_TRUE(CheckPolicy(After({"b", "a:end"})).ok());
  EXPECT_EQ(CheckPolicy(After({"b", "a", "b:end"})).message(), "it names task b twice");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckPolicy(After({"b", "b"}))));
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kDependenciesMax; ++i) many.push_back("t" + std::to_string(i));
  EXPECT_TRUE(CheckPolicy(After(many)).ok());
  many.push_back("t");
  EXPECT_TRUE(absl::IsResourceExhausted(CheckPolicy(After(many))));
  task::v1::Policy bad = After({"a"});
  bad.mutable_dependencies(0)->set_task("a/b");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckPolicy(bad)));
  bad.mutable_dependencies(0)->set_task("a");
  bad.mutable_dependencies(0)->set_condition(static_cast<Dependency::Condition>(7));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckPolicy(bad)));
}

TEST(DependencyTest, AnotherDependencyIsAnotherTask) {
  worker::v1::TaskRecord a, b;
  *a.mutable_policy() = After({"x"});
  *b.mutable_policy() = After({"x:end"});
  for (worker::v1::TaskRecord* record : {&a, &b}) {
    record->set_program("p");
    record->set_spec_digest(SpecDigest(record->policy(), absl::string_view("p")));
  }
  EXPECT_EQ(DifferenceOf(a, b), "its dependencies differ");
}

}  // namespace
}  // namespace drover::records
