#include "coord/raft/configuration.h"

#include <cstdint>
#include <utility>

namespace drover::coord::raft {
namespace {

constexpr std::uint8_t kVersion = 1;
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
  PutNumber(&out, kVersion, 1);
  PutNumber(&out, configuration.cluster.value, 8);
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
  if (in.Number(1) != kVersion) return absl::DataLossError("configuration entry of an unknown version");
  Configuration configuration;
  configuration.cluster = base::ClusterId(in.Number(8));
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
