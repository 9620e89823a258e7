#include "coord/base/wire.h"

#include <cstring>
#include <memory>

namespace drover::base {
namespace {

constexpr std::uint64_t kFieldMax = (1u << 29) - 1;
constexpr int kGroupDepthMax = 100;
constexpr std::uint32_t kGroupEnd = 4;

// Null if what is at `at` is no varint that fits 64 bits; else what follows it.
const char* DecodeVarint(const char* at, const char* end, std::uint64_t* value) {
  if (at != end && static_cast<unsigned char>(*at) < 0x80) {
    *value = static_cast<unsigned char>(*at);
    return at + 1;
  }
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64 && at != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    if (shift == 63 && byte > 1) return nullptr;
    v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = v;
      return at;
    }
  }
  return nullptr;
}

std::size_t EncodeVarint(std::uint64_t value, char* out) {
  std::size_t n = 0;
  while (value >= 0x80) {
    out[n++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out[n++] = static_cast<char>(value);
  return n;
}

}  // namespace

bool WireReader::Fail() {
  ok_ = false;
  at_ = end_;
  return false;
}

bool WireReader::ReadVarint(std::uint64_t* value) {
  const char* next = DecodeVarint(at_, end_, value);
  if (next == nullptr) return false;
  at_ = next;
  return true;
}

bool WireReader::ReadFixed(std::size_t size, std::uint64_t* value) {
  if (static_cast<std::size_t>(end_ - at_) < size) return false;
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v |= static_cast<std::uint64_t>(static_cast<unsigned char>(at_[i])) << (8 * i);
  *value = v;
  at_ += size;
  return true;
}

bool WireReader::ReadValue(std::uint32_t wire_type) {
  number_ = 0;
  bytes_ = absl::string_view();
  type_ = static_cast<WireType>(wire_type);
  switch (type_) {
    case WireType::kVarint:
      return ReadVarint(&number_);
    case WireType::kFixed64:
      return ReadFixed(8, &number_);
    case WireType::kFixed32:
      return ReadFixed(4, &number_);
    case WireType::kBytes: {
      std::uint64_t size = 0;
      if (!ReadVarint(&size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
      bytes_ = absl::string_view(at_, static_cast<std::size_t>(size));
      at_ += size;
      return true;
    }
    case WireType::kGroup:
      return SkipGroup(field_);
  }
  return false;
}

bool WireReader::SkipGroup(std::uint32_t group_field) {
  std::uint32_t open[kGroupDepthMax];
  int depth = 0;
  open[depth++] = group_field;
  while (depth > 0) {
    std::uint64_t tag = 0;
    if (!ReadVarint(&tag) || (tag >> 3) == 0 || (tag >> 3) > kFieldMax) return false;
    const auto field = static_cast<std::uint32_t>(tag >> 3);
    const auto wire_type = static_cast<std::uint32_t>(tag & 7);
    if (wire_type == kGroupEnd) {
      if (open[--depth] != field) return false;
    } else if (wire_type == static_cast<std::uint32_t>(WireType::kGroup)) {
      if (depth == kGroupDepthMax) return false;
      open[depth++] = field;
    } else if (!ReadValue(wire_type)) {
      return false;
    }
  }
  type_ = WireType::kGroup;
  number_ = 0;
  bytes_ = absl::string_view();
  return true;
}

bool WireReader::Next() {
  if (at_ == end_) return false;
  std::uint64_t tag = 0;
  if (!ReadVarint(&tag) || (tag >> 3) == 0 || (tag >> 3) > kFieldMax) return Fail();
  field_ = static_cast<std::uint32_t>(tag >> 3);
  return ReadValue(static_cast<std::uint32_t>(tag & 7)) || Fail();
}

bool PackedVarints::Next(std::uint64_t* value) {
  if (at_ == end_) return false;
  const char* next = DecodeVarint(at_, end_, value);
  if (next == nullptr) {
    ok_ = false;
    at_ = end_;
    return false;
  }
  at_ = next;
  return true;
}

void WireWriter::AppendVarint(std::uint64_t value) {
  char buffer[10];
  out_->append(buffer, EncodeVarint(value, buffer));
}

void WireWriter::VarintAlways(std::uint32_t field, std::uint64_t value) {
  char buffer[20];
  std::size_t n = EncodeVarint((field << 3) | static_cast<std::uint32_t>(WireType::kVarint), buffer);
  n += EncodeVarint(value, buffer + n);
  out_->append(buffer, n);
}

void WireWriter::BytesHead(std::uint32_t field, std::size_t size) {
  char buffer[20];
  std::size_t n = EncodeVarint((field << 3) | static_cast<std::uint32_t>(WireType::kBytes), buffer);
  n += EncodeVarint(size, buffer + n);
  out_->append(buffer, n);
}

void WireWriter::BytesAlways(std::uint32_t field, absl::string_view value) {
  BytesHead(field, value.size());
  out_->append(value.data(), value.size());
}

std::size_t WireWriter::Open(std::uint32_t field) {
  AppendTag(field, WireType::kBytes);
  out_->push_back('\0');  // the length, if it turns out to be below 128
  return out_->size();
}

void WireWriter::Close(std::size_t mark) {
  char buffer[10];
  const std::size_t n = EncodeVarint(out_->size() - mark, buffer);
  if (n > 1) out_->insert(mark, n - 1, '\0');
  std::memcpy(&(*out_)[mark - 1], buffer, n);
}

std::size_t VarintSize(std::uint64_t value) {
  std::size_t n = 1;
  for (; value >= 0x80; value >>= 7) ++n;
  return n;
}

bool IsUtf8(absl::string_view s) {
  // Table 3-7 of the Unicode standard: the second byte's range depends on the first.
  const auto* at = reinterpret_cast<const unsigned char*>(s.data());
  const auto* const end = at + s.size();
  while (at != end) {
    const unsigned char lead = *at++;
    if (lead < 0x80) continue;
    int more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    for (; more > 0; --more) {
      if (at == end || *at < low || *at > high) return false;
      ++at;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

Bytes CopyExact(absl::string_view s) {
  if (s.empty()) return {};
  std::shared_ptr<char[]> copy = std::make_shared_for_overwrite<char[]>(s.size());
  std::memcpy(copy.get(), s.data(), s.size());
  absl::string_view view(copy.get(), s.size());
  return Bytes(std::move(copy), view);
}

}  // namespace drover::base
