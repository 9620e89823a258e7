#include "master/records/requirement.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coord/base/status.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::records {
namespace {

using Rule = task::v1::LabelRule;

constexpr char kRuleForms[] =
    "a rule is one of KEY=VALUE, KEY!=VALUE, KEY in (A, B), KEY notin (A, B), KEY, !KEY, KEY>NUMBER and KEY<NUMBER";

// "(a, b)"
bool TakeValues(absl::string_view text, Rule* rule) {
  text = absl::StripAsciiWhitespace(text);
  if (!absl::ConsumePrefix(&text, "(") || !absl::ConsumeSuffix(&text, ")")) return false;
  for (const absl::string_view value : absl::StrSplit(text, ',')) rule->add_values(std::string(absl::StripAsciiWhitespace(value)));
  return true;
}

bool HasValues(Rule::Operator op) {
  return op != Rule::EXISTS && op != Rule::MISSING;
}

}  // namespace

absl::StatusOr<Rule> ParseLabelRule(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  Rule rule;
  const auto split = [&](absl::string_view sign, Rule::Operator op) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(sign, 1));
    rule.set_label(std::string(absl::StripAsciiWhitespace(parts.first)));
    rule.set_op(op);
    return absl::StripAsciiWhitespace(parts.second);
  };
  bool formed = true;
  if (absl::ConsumePrefix(&text, "!")) {
    rule.set_label(std::string(absl::StripAsciiWhitespace(text)));
    rule.set_op(Rule::MISSING);
  } else if (absl::StrContains(text, " notin ") || absl::StrContains(text, " notin(")) {
    formed = TakeValues(split(" notin", Rule::NOT_IN), &rule);
  } else if (absl::StrContains(text, " in ") || absl::StrContains(text, " in(")) {
    formed = TakeValues(split(" in", Rule::IN), &rule);
  } else if (absl::StrContains(text, "!=")) {
    rule.add_values(std::string(split("!=", Rule::NOT_IN)));
  } else if (absl::StrContains(text, "=")) {
    rule.add_values(std::string(split("=", Rule::IN)));
  } else if (absl::StrContains(text, ">")) {
    rule.add_values(std::string(split(">", Rule::ABOVE)));
  } else if (absl::StrContains(text, "<")) {
    rule.add_values(std::string(split("<", Rule::BELOW)));
  } else {
    rule.set_label(std::string(text));
    rule.set_op(Rule::EXISTS);
  }
  if (!formed) return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" will not do: ", kRuleForms));
  const absl::Status status = CheckLabelRule(rule);
  if (!status.ok()) return absl::Status(status.code(), absl::StrCat(status.message(), " (", kRuleForms, ")"));
  return rule;
}

absl::Status CheckLabelRule(const Rule& rule) {
  if (!IsLabelKey(rule.label())) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", rule.label().substr(0, 80), "\" is no label's key: [A-Za-z0-9][A-Za-z0-9._/-]{0,62}"));
  }
  const auto of_rule = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("the rule about ", rule.label(), " ", what));
  };
  if (!Rule::Operator_IsValid(rule.op()) || rule.op() == Rule::OPERATOR_UNSPECIFIED) return of_rule("has no operator");
  if (!HasValues(rule.op()) && rule.values_size() > 0) return of_rule("has values, and asks only whether the label is there");
  if (HasValues(rule.op()) && rule.values_size() == 0) return of_rule("has no values");
  if (rule.values_size() > static_cast<int>(kRuleValuesMax)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the rule about ", rule.label(), " has ", rule.values_size(), " values, at most ", kRuleValuesMax));
  }
  for (const std::string& value : rule.values()) {
    if (!IsLabelValue(value)) return of_rule("has a value that no label can have: up to 63 printable characters");
  }
  if (rule.op() == Rule::ABOVE || rule.op() == Rule::BELOW) {
    double number = 0;
    if (rule.values_size() != 1 || !absl::SimpleAtod(rule.values(0), &number)) return of_rule("compares with one number");
  }
  return absl::OkStatus();
}

absl::Status CheckResources(const google::protobuf::Map<std::string, std::int64_t>& resources) {
  if (resources.size() > kResourcesMax) {
    return absl::ResourceExhaustedError(absl::StrCat(resources.size(), " resources, at most ", kResourcesMax));
  }
  for (const auto& [name, amount] : resources) {
    if (!IsName(name)) return absl::InvalidArgumentError(absl::StrCat("bad resource: ", kNameRule));
    if (amount < 1 || amount > kResourceMax) {
      return absl::InvalidArgumentError(absl::StrCat("the amount of ", name, " is not in 0.001..", kResourceMax / 1000));
    }
  }
  return absl::OkStatus();
}

}  // namespace drover::records
