#include "master/scheduler/requirement.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "master/records/handler_label.h"

namespace drover::master::scheduler {
namespace {

const std::string* ValueOf(const Labels& labels, const std::string& key) {
  const auto it = std::lower_bound(labels.begin(), labels.end(), key, [](const auto& l, const auto& k) { return l.first < k; });
  return it == labels.end() || it->first != key ? nullptr : &it->second;
}

// Both are numbers and the first is above the second.
bool IsAbove(const std::string& a, const std::string& b) {
  double left = 0, right = 0;
  return absl::SimpleAtod(a, &left) && absl::SimpleAtod(b, &right) && left > right;
}

}  // namespace

bool HasAll(const Labels& have, const Labels& want) {
  return std::includes(have.begin(), have.end(), want.begin(), want.end());
}

bool Satisfies(const Labels& have, const LabelRule& rule) {
  const std::string* value = ValueOf(have, rule.label);
  const auto listed = [&] { return std::find(rule.values.begin(), rule.values.end(), *value) != rule.values.end(); };
  switch (rule.op) {
    case LabelOperator::kIn:
      return value != nullptr && listed();
    case LabelOperator::kNotIn:
      return value == nullptr || !listed();
    case LabelOperator::kExists:
      return value != nullptr;
    case LabelOperator::kMissing:
      return value == nullptr;
    case LabelOperator::kAbove:
      return value != nullptr && !rule.values.empty() && IsAbove(*value, rule.values.front());
    case LabelOperator::kBelow:
      return value != nullptr && !rule.values.empty() && IsAbove(rule.values.front(), *value);
  }
  return false;
}

bool RefusesPrograms(const Labels& have, const Requirement& want) {
  if (ValueOf(have, records::kHandlersOnlyLabel) == nullptr) return false;
  return std::none_of(want.rules.begin(), want.rules.end(), [](const LabelRule& rule) {
    return rule.op == LabelOperator::kExists && absl::StartsWith(rule.label, records::kHandlerLabel);
  });
}

bool Meets(const Labels& have, const Requirement& want) {
  if (RefusesPrograms(have, want)) return false;
  return HasAll(have, want.labels) &&
         std::all_of(want.rules.begin(), want.rules.end(), [&](const LabelRule& rule) { return Satisfies(have, rule); });
}

std::int64_t AmountOf(const Resources& resources, absl::string_view name) {
  for (const auto& [key, amount] : resources) {
    if (key == name) return amount;
  }
  return 0;
}

void AddTo(Resources* resources, const Resources& what, int sign) {
  for (const auto& [name, amount] : what) {
    const auto it =
        std::lower_bound(resources->begin(), resources->end(), name, [](const auto& r, const auto& key) { return r.first < key; });
    if (it == resources->end() || it->first != name) {
      resources->insert(it, {name, sign * amount});
    } else if ((it->second += sign * amount) == 0) {
      resources->erase(it);
    }
  }
}

bool Covers(const Resources& have, const Resources& taken, const Resources& want) {
  return std::all_of(want.begin(), want.end(),
                     [&](const auto& w) { return AmountOf(have, w.first) - AmountOf(taken, w.first) >= w.second; });
}

std::string RuleText(const LabelRule& rule) {
  const std::string values = absl::StrJoin(rule.values, ", ");
  switch (rule.op) {
    case LabelOperator::kIn:
      return rule.values.size() == 1 ? absl::StrCat(rule.label, "=", values) : absl::StrCat(rule.label, " in (", values, ")");
    case LabelOperator::kNotIn:
      return rule.values.size() == 1 ? absl::StrCat(rule.label, "!=", values) : absl::StrCat(rule.label, " notin (", values, ")");
    case LabelOperator::kExists:
      return rule.label;
    case LabelOperator::kMissing:
      return absl::StrCat("!", rule.label);
    case LabelOperator::kAbove:
      return absl::StrCat(rule.label, ">", values);
    case LabelOperator::kBelow:
      return absl::StrCat(rule.label, "<", values);
  }
  return rule.label;
}

std::vector<std::string> MissingLabels(const Labels& have, const Requirement& want) {
  std::vector<std::string> missing;
  for (const auto& label : want.labels) {
    if (!HasAll(have, {label})) missing.push_back(absl::StrCat(label.first, "=", label.second));
  }
  for (const LabelRule& rule : want.rules) {
    if (!Satisfies(have, rule)) missing.push_back(RuleText(rule));
  }
  return missing;
}

}  // namespace drover::master::scheduler
