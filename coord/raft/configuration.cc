#include "coord/raft/configuration.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::coord::raft {
namespace {

// Of the first level, and from kLevelInConfigurations on. In later ones, too, the level stands where version 2 has it.
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kVersionWithLevel = 2;
constexpr std::size_t kAddressBytesMax = 1024;
constexpr std::uint8_t kVoter = 1;

void PutNumber(std::string* out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Reads from the front of what is left; once it failed it yields zeros and stays failed.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : left_(bytes) {}

  std::uint64_t Number(std::size_t bytes) {
    if (left_.size() < bytes) ok_ = false;
    if (!ok_) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(left_[i])} << (8 * i);
    left_.remove_prefix(bytes);
    return value;
  }
  std::string String(std::size_t bytes) {
    if (left_.size() < bytes) ok_ = false;
    if (!ok_) return {};
    std::string value(left_.substr(0, bytes));
    left_.remove_prefix(bytes);
    return value;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && left_.empty(); }

 private:
  absl::string_view left_;
  bool ok_ = true;
};

}  // namespace

const Member* Configuration::Find(base::NodeId id) const {
  for (const Member& member : members) {
    if (member.id == id) return &member;
  }
  return nullptr;
}

bool Configuration::Names(base::NodeId id, base::Incarnation incarnation) const {
  const Member* const member = Find(id);
  return member != nullptr && member->incarnation == incarnation;
}

bool Configuration::IsSoleVoter(base::NodeId id, base::Incarnation incarnation) const {
  bool found = false;
  for (const Member& member : members) {
    if (!member.voter) continue;
    if (member.id != id || member.incarnation != incarnation) return false;
    found = true;
  }
  return found;
}

base::Bytes EncodeConfiguration(const Configuration& configuration) {
  std::string out;
  const bool tells_level = configuration.feature_level >= base::kLevelInConfigurations;
  PutNumber(&out, tells_level ? kVersionWithLevel : kVersion, 1);
  PutNumber(&out, configuration.cluster.value, 8);
  if (tells_level) PutNumber(&out, configuration.feature_level.value, 4);
  PutNumber(&out, configuration.members.size(), 4);
  for (const Member& member : configuration.members) {
    PutNumber(&out, member.id.value, 8);
    PutNumber(&out, member.incarnation.value, 8);
    PutNumber(&out, member.voter ? kVoter : 0, 1);
    PutNumber(&out, member.address.size(), 4);
    out += member.address;
  }
  return base::Bytes::Adopt(std::move(out));
}

absl::StatusOr<Configuration> DecodeConfiguration(absl::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t version = in.Number(1);
  if (version < kVersion) return absl::DataLossError("configuration entry of an unknown version");
  Configuration configuration;
  configuration.cluster = base::ClusterId(in.Number(8));
  if (version >= kVersionWithLevel) {
    configuration.feature_level = base::FeatureLevel(static_cast<std::uint32_t>(in.Number(4)));
    if (configuration.feature_level < base::kLevelInConfigurations) return absl::DataLossError("malformed configuration entry");
  }
  if (version > kVersionWithLevel) {
    return absl::UnimplementedError(absl::StrCat("a configuration of version ", version, " and feature level ",
                                                 configuration.feature_level.value,
                                                 ", which this program does not know: start a newer drover-coord"));
  }
  const std::uint64_t count = in.Number(4);
  base::NodeId previous;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Member member;
    member.id = base::NodeId(in.Number(8));
    member.incarnation = base::Incarnation(in.Number(8));
    const std::uint64_t flags = in.Number(1);
    const std::uint64_t address_bytes = in.Number(4);
    if (flags > kVoter || address_bytes > kAddressBytesMax || member.id <= previous) {
      return absl::DataLossError("malformed configuration entry");
    }
    member.voter = flags == kVoter;
    member.address = in.String(address_bytes);
    previous = member.id;
    configuration.members.push_back(std::move(member));
  }
  if (!in.done()) return absl::DataLossError("malformed configuration entry");
  return configuration;
}

}  // namespace drover::coord::raft
