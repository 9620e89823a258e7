#include "tests/rivals/report.h"

#include <cstddef>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::rivals {
namespace {

constexpr char kHello[] = "hello";
constexpr char kUse[] = "use";
constexpr char kShare[] = "share";
constexpr char kNumber[] = "number";
constexpr char kCommitted[] = "committed";
constexpr char kAborted[] = "aborted";
constexpr char kClaim[] = "claim";

struct Encode {
  std::string operator()(const Hello& hello) const { return absl::StrCat(kHello, " ", hello.name, "\n"); }
  std::string operator()(const Use& use) const {
    return absl::StrCat(use.fenced ? kUse : kShare, " ", use.resource, " ", use.token.value, "\n");
  }
  std::string operator()(const Number& number) const { return absl::StrCat(kNumber, " ", number.value, "\n"); }
  std::string operator()(const Decision& decision) const {
    return absl::StrCat(decision.commit ? kCommitted : kAborted, " ", decision.id, "\n");
  }
  std::string operator()(const recipes::Claim& claim) const {
    return absl::StrCat(kClaim, " ", static_cast<int>(claim.rule), " ", claim.path, " ", claim.token.value, " ", claim.at.value,
                        " ", claim.permits, "\n");
  }
};

}  // namespace

std::string EncodeReport(const Report& report) {
  return std::visit(Encode(), report);
}

std::optional<Report> DecodeReport(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  const std::string& kind = words[0];
  if (kind == kHello && words.size() == 2 && !words[1].empty()) return Hello{words[1]};
  if ((kind == kUse || kind == kShare) && words.size() == 3) {
    Use use{.resource = words[1], .token = {}, .fenced = kind == kUse};
    if (!use.resource.empty() && absl::SimpleAtoi(words[2], &use.token.value)) return use;
  }
  if (kind == kNumber && words.size() == 2) {
    Number number;
    if (absl::SimpleAtoi(words[1], &number.value)) return number;
  }
  if ((kind == kCommitted || kind == kAborted) && words.size() == 2 && !words[1].empty()) {
    return Decision{words[1], kind == kCommitted};
  }
  if (kind == kClaim && words.size() == 6) {
    recipes::Claim claim;
    int rule = 0;
    std::uint64_t permits = 0;
    if (absl::SimpleAtoi(words[1], &rule) && rule >= 0 && rule <= static_cast<int>(recipes::Rule::kAllLeft) && !words[2].empty() &&
        absl::SimpleAtoi(words[3], &claim.token.value) && absl::SimpleAtoi(words[4], &claim.at.value) &&
        absl::SimpleAtoi(words[5], &permits)) {
      claim.rule = static_cast<recipes::Rule>(rule);
      claim.path = words[2];
      claim.permits = static_cast<std::size_t>(permits);
      return claim;
    }
  }
  return std::nullopt;
}

}  // namespace drover::rivals
