#include "tests/bench/workload.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "coord/base/random.h"
#include "coord/base/status.h"

namespace drover::bench {
namespace {

constexpr Workload kAll[] = {Workload::kSet, Workload::kGet, Workload::kLocalGet, Workload::kMixed};
constexpr int kClientsMax = 1'000;
constexpr int kWindowMax = 10'000;
constexpr std::size_t kValueMax = std::size_t{1} << 20;  // what all three systems take by default

}  // namespace

absl::string_view WorkloadName(Workload workload) {
  switch (workload) {
    case Workload::kSet:
      return "set";
    case Workload::kGet:
      return "get";
    case Workload::kLocalGet:
      return "local-get";
    case Workload::kMixed:
      return "mixed";
  }
  return "";
}

absl::StatusOr<Workload> ParseWorkload(absl::string_view text) {
  const auto* const found = std::find_if(std::begin(kAll), std::end(kAll), [text](Workload w) { return WorkloadName(w) == text; });
  if (found != std::end(kAll)) return *found;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not one of set, get, local-get, mixed"));
}

absl::StatusOr<std::vector<Workload>> ParseWorkloads(absl::string_view text) {
  std::vector<Workload> workloads;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    DROVER_ASSIGN_OR_RETURN(const Workload workload, ParseWorkload(part));
    if (std::find(workloads.begin(), workloads.end(), workload) != workloads.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is named twice"));
    }
    workloads.push_back(workload);
  }
  return workloads;
}

absl::StatusOr<Load> ParseLoad(absl::string_view text) {
  const std::vector<absl::string_view> factors = absl::StrSplit(text, 'x');
  Load load;
  if (factors.size() != 2 || !absl::SimpleAtoi(factors[0], &load.clients) || !absl::SimpleAtoi(factors[1], &load.window) ||
      load.clients < 1 || load.clients > kClientsMax || load.window < 1 || load.window > kWindowMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not CLIENTSxWINDOW, e.g. 4x64 (at most ", kClientsMax, "x", kWindowMax, ")"));
  }
  return load;
}

absl::StatusOr<std::vector<Load>> ParseLoads(absl::string_view text) {
  std::vector<Load> loads;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    DROVER_ASSIGN_OR_RETURN(const Load load, ParseLoad(part));
    loads.push_back(load);
  }
  return loads;
}

absl::StatusOr<std::vector<std::size_t>> ParseSizes(absl::string_view text) {
  std::vector<std::size_t> sizes;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    std::size_t size = 0;
    if (!absl::SimpleAtoi(part, &size) || size > kValueMax) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is no number of bytes up to ", kValueMax));
    }
    sizes.push_back(size);
  }
  return sizes;
}

Operation ChooseOperation(Workload workload, int set_percent, std::uint64_t bits) {
  switch (workload) {
    case Workload::kSet:
      return Operation::kSet;
    case Workload::kGet:
      return Operation::kGet;
    case Workload::kLocalGet:
      return Operation::kLocalGet;
    case Workload::kMixed:
      return bits % 100 < static_cast<std::uint64_t>(set_percent) ? Operation::kSet : Operation::kGet;
  }
  return Operation::kGet;
}

std::vector<std::string> KeyNames(std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back(absl::StrFormat("%s/k%05d", kKeyRoot, i));
  return names;
}

std::string RandomText(std::uint64_t seed, std::size_t bytes) {
  constexpr char kCharacters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  base::SeededRandom random(seed);
  std::string text(bytes, ' ');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    bits = i % 10 == 0 ? random.Next() : bits >> 6;
    text[i] = kCharacters[bits & 63];
  }
  return text;
}

std::string DirectoryName(std::size_t directory) {
  return absl::StrFormat("%s/dir-%016d", kKeyRoot, directory);
}

std::string DeepKeyName(std::size_t key) {
  return absl::StrFormat("%s/znode-%014d", DirectoryName(key / kKeysPerDirectory), key);
}

std::string WatchedPath(int session, std::uint64_t watch) {
  return absl::StrFormat("/watched/%08d/key-%08d", session, watch);
}

}  // namespace drover::bench
