#include "tests/fuzz/log_repair.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "coord/base/checksum.h"
#include "coord/log/frame.h"

namespace drover::fuzz {
namespace {

using coord::log::GetU32;
using coord::log::GetU64;
using coord::log::Padded;
using coord::log::PutU64;

constexpr std::size_t kFrameHeader = 56;
constexpr std::size_t kSegmentFixed = 80;
constexpr std::size_t kSnapshotHead = 64;
constexpr std::size_t kPartHead = 24;

void Put(std::uint64_t value, int bytes, std::size_t at, std::string* out) {
  for (int i = 0; i < bytes; ++i) (*out)[at + i] = static_cast<char>(value >> (8 * i));
}

std::string Numbers(std::initializer_list<std::uint64_t> numbers) {
  std::string out;
  for (const std::uint64_t number : numbers) PutU64(number, &out);
  return out;
}

}  // namespace

void RepairSegment(base::ClusterId cluster, std::uint64_t number, std::size_t frames, FrameChecksums* known, std::string* file) {
  if (file->size() < kFrameHeader + kSegmentFixed) return;
  Put(cluster.value, 8, kFrameHeader + 16, file);
  Put(number, 8, kFrameHeader + 24, file);
  const auto previous = known->find({GetU64(*file, kFrameHeader + 32), GetU64(*file, kFrameHeader + 40)});
  if (previous != known->end()) Put(previous->second, 8, kFrameHeader + 48, file);
  std::size_t at = 0;
  for (; frames > 0 && at + kFrameHeader <= file->size(); --frames) {
    if (GetU32(*file, at) != coord::log::kFrameMagic) return;
    const std::size_t room = (file->size() - at - kFrameHeader) & ~std::size_t{7};
    std::size_t payload = GetU32(*file, at + 8);
    if (Padded(payload) > room) Put(payload = room, 4, at + 8, file);
    Put(base::Checksum(absl::string_view(*file).substr(at + kFrameHeader, Padded(payload))), 8, at + 40, file);
    const std::uint64_t checksum =
        base::Checksum({Numbers({cluster.value, number, at}), absl::string_view(*file).substr(at, kFrameHeader - 8)});
    Put(checksum, 8, at + 48, file);
    known->insert_or_assign({number, at}, checksum);
    at += kFrameHeader + Padded(payload);
  }
}

void RepairSnapshot(std::size_t parts, std::string* file) {
  if (file->size() < kSnapshotHead + 8) return;
  const std::size_t room = file->size() - kSnapshotHead - 8;
  const std::size_t configuration = std::min<std::size_t>(GetU32(*file, 12), room);
  Put(configuration, 4, 12, file);
  const std::size_t founding_at = Padded(kSnapshotHead + configuration);
  const std::size_t founding = std::min<std::size_t>(GetU32(*file, 56), file->size() - std::min(file->size(), founding_at + 16));
  Put(founding, 4, 56, file);
  const std::size_t head = Padded(founding_at + founding);
  if (head + 8 > file->size()) return;
  std::uint64_t chain = base::Checksum(absl::string_view(*file).substr(0, head));
  Put(chain, 8, head, file);
  std::size_t at = head + 8;
  const std::uint64_t id = GetU64(*file, 24);
  std::uint64_t number = 0;
  for (; at + kPartHead <= file->size(); ++number) {
    if (absl::string_view(*file).substr(at, 4) == "DRSE") {
      Put(number, 8, at + 8, file);
      Put(base::Checksum(Numbers({chain, number})), 8, at + 16, file);
      return;
    }
    if (number == parts || absl::string_view(*file).substr(at, 4) != "DRSP") return;
    std::size_t stored = GetU32(*file, at + 4);
    const std::size_t rest = (file->size() - at - kPartHead) & ~std::size_t{7};
    if (Padded(stored) > rest) Put(stored = rest, 4, at + 4, file);
    const absl::string_view all(*file);
    const std::uint64_t checksum = base::Checksum({Numbers({id, number}), all.substr(at, 16), all.substr(at + kPartHead, stored)});
    Put(checksum, 8, at + 16, file);
    chain = base::Checksum(Numbers({chain, checksum}));
    at += kPartHead + Padded(stored);
  }
}

}  // namespace drover::fuzz
