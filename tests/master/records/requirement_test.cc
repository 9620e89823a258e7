#include "master/records/requirement.h"

#include <gtest/gtest.h>

#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::records {
namespace {

using Rule = task::v1::LabelRule;

std::string Shown(const Rule& rule) {
  std::string shown = rule.label() + " " + Rule::Operator_Name(rule.op());
  for (const std::string& value : rule.values()) shown += " " + value;
  return shown;
}

TEST(RequirementTest, RulesAsTheyAreWritten) {
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"zone=eu", "zone IN eu"},
           {" zone = eu ", "zone IN eu"},
           {"zone=", "zone IN "},
           {"zone!=eu", "zone NOT_IN eu"},
           {"zone in (eu, us)", "zone IN eu us"},
           {"zone in(eu)", "zone IN eu"},
           {"zone notin (eu,us)", "zone NOT_IN eu us"},
           {"gpu", "gpu EXISTS"},
           {"!spot", "spot MISSING"},
           {"cores>8", "cores ABOVE 8"},
           {"cores < 8.5", "cores BELOW 8.5"},
           {"example.org/rack=a=b", "example.org/rack IN a=b"},
       }) {
    const auto rule = ParseLabelRule(text);
    ASSERT_TRUE(rule.ok()) << text << ": " << rule.status();
    EXPECT_EQ(Shown(*rule), shown) << text;
  }
}

TEST(RequirementTest, WhatIsNoRuleIsRefused) {
  for (const char* text : {"", "!", "=eu", "zone in eu", "zone in (eu", "zo ne", "!zone=eu", "cores>many", "cores>", "zone=\x01"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseLabelRule(text).status())) << text;
  }
  std::string many = "zone in (0";
  for (std::size_t i = 1; i <= kRuleValuesMax; ++i) many += "," + std::to_string(i);
  EXPECT_TRUE(absl::IsResourceExhausted(ParseLabelRule(many + ")").status()));
  Rule rule;
  rule.set_label("zone");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckLabelRule(rule))) << "without an operator";
  rule.set_op(Rule::EXISTS);
  rule.add_values("eu");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckLabelRule(rule)));
}

TEST(RequirementTest, APolicyIsTheSameInWhateverOrderItsRulesAre) {
  task::v1::Policy a, b;
  *a.add_rules() = *ParseLabelRule("gpu");
  *a.add_rules() = *ParseLabelRule("zone in (eu, us)");
  *b.add_rules() = *ParseLabelRule("zone in (us, eu)");
  *b.add_rules() = *ParseLabelRule("gpu");
  *b.add_rules() = *ParseLabelRule("gpu");
  Normalise(&a);
  Normalise(&b);
  EXPECT_EQ(EncodePolicy(a), EncodePolicy(b));
  a.set_key("db");
  b.set_key("db");
  b.set_key_max(1);
  Normalise(&a);
  Normalise(&b);
  EXPECT_EQ(EncodePolicy(a), EncodePolicy(b));
}

TEST(RequirementTest, APolicySaysWhatOfItsRequirementsIsWrong) {
  const auto check = [](auto change) {
    task::v1::Policy policy;
    change(&policy);
    Normalise(&policy);
    return CheckPolicy(policy);
  };
  EXPECT_TRUE(check([](auto* p) { (*p->mutable_resources())["cpu"] = 1; }).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(check([](auto* p) { (*p->mutable_resources())["cpu"] = 0; })));
  EXPECT_TRUE(absl::IsInvalidArgument(check([](auto* p) { (*p->mutable_resources())["c pu"] = 1; })));
  EXPECT_TRUE(absl::IsResourceExhausted(check([](auto* p) {
    for (std::size_t i = 0; i <= kResourcesMax; ++i) (*p->mutable_resources())["r" + std::to_string(i)] = 1;
  })));
  EXPECT_TRUE(absl::IsInvalidArgument(check([](auto* p) { p->set_key_max(2); }))) << "no key";
  EXPECT_TRUE(absl::IsInvalidArgument(check([](auto* p) { p->set_key(std::string(64, 'k')); })));
  EXPECT_TRUE(check([](auto* p) {
                p->set_key("k");
                p->set_key_max(kTaskKeyRunningMax);
              }).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(check([](auto* p) {
    for (std::size_t i = 0; i <= kLabelRulesMax; ++i) *p->add_rules() = *ParseLabelRule("label" + std::to_string(i));
  })));
}

TEST(RequirementTest, WhatDiffersOfRequirementsIsNamed) {
  worker::v1::TaskRecord known;
  Normalise(known.mutable_policy());
  known.set_spec_digest(SpecDigest(known.policy(), absl::string_view("p")));
  worker::v1::TaskRecord other = known;
  *other.mutable_policy()->add_rules() = *ParseLabelRule("gpu");
  (*other.mutable_policy()->mutable_resources())["cpu"] = 1;
  other.mutable_policy()->set_key("k");
  other.mutable_policy()->set_key_max(3);
  known.set_program("p");
  other.set_spec_digest(SpecDigest(other.policy(), absl::string_view("p")));
  EXPECT_EQ(DifferenceOf(known, other), "its rules about labels, resources, key and number of its key that may run differ");
}

}  // namespace
}  // namespace drover::records
