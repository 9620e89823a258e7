// The protobuf wire format read in place and written by appending: what lets an operation be a view over the received bytes.
//
// Reading never copies, allocates or throws, and never looks beyond its input; a view it returns lives as long as the input. As
// with protobuf, unknown fields are skipped (groups too) and a field of an unexpected wire type counts as unknown. Differently: an
// embedded message that occurs twice is not merged, the last one counts.
// Threads: a reader or writer belongs to one; the bytes may be shared.
#ifndef DROVER_COORD_BASE_WIRE_H_
#define DROVER_COORD_BASE_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"

namespace drover::base {

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,  // strings, bytes, messages, packed numbers
  kGroup = 3,  // skipped whole
  kFixed32 = 5,
};

// Walks the fields of one message.
//
//   WireReader in(bytes);
//   while (in.Next()) {
//     if (in.Is(1, WireType::kVarint)) number = in.number();
//   }
//   if (!in.ok()) ...  // malformed
class WireReader {
 public:
  explicit WireReader(absl::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}

  // Moves to the next field. False at the end and at malformed input; `ok` tells which.
  bool Next();
  // No malformed input was met. Meaningful once Next has returned false.
  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] bool Is(std::uint32_t field, WireType type) const { return field_ == field && type_ == type; }
  [[nodiscard]] std::uint32_t field() const { return field_; }
  [[nodiscard]] WireType type() const { return type_; }
  // Value of a varint, fixed32 or fixed64 field; narrower types take its low bits, as protobuf does.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  // Contents of a kBytes field, else empty.
  [[nodiscard]] absl::string_view bytes() const { return bytes_; }

 private:
  bool Fail();
  bool ReadVarint(std::uint64_t* value);
  bool ReadFixed(std::size_t size, std::uint64_t* value);
  bool ReadValue(std::uint32_t wire_type);
  bool SkipGroup(std::uint32_t group_field);

  const char* at_;
  const char* end_;
  bool ok_ = true;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  std::uint64_t number_ = 0;
  absl::string_view bytes_;
};

// The occurrences of one kBytes field of a message, in order; other fields are skipped.
class RepeatedBytes {
 public:
  RepeatedBytes(absl::string_view message, std::uint32_t field) : in_(message), field_(field) {}
  bool Next(absl::string_view* element) {
    while (in_.Next()) {
      if (in_.Is(field_, WireType::kBytes)) {
        *element = in_.bytes();
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool ok() const { return in_.ok(); }

 private:
  WireReader in_;
  std::uint32_t field_;
};

// The numbers in the contents of a packed repeated field.
class PackedVarints {
 public:
  explicit PackedVarints(absl::string_view packed) : at_(packed.data()), end_(packed.data() + packed.size()) {}
  bool Next(std::uint64_t* value);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

// Appends fields to a string that the caller owns (and may reuse: nothing is allocated once it has grown).
class WireWriter {
 public:
  explicit WireWriter(std::string* out) : out_(out) {}

  // As proto3 fields without presence: a zero, a false and an empty string are not written.
  void Varint(std::uint32_t field, std::uint64_t value) {
    if (value != 0) VarintAlways(field, value);
  }
  // int32, int64 and enums: negative numbers take ten bytes.
  void Signed(std::uint32_t field, std::int64_t value) { Varint(field, static_cast<std::uint64_t>(value)); }
  void Bytes(std::uint32_t field, absl::string_view value) {
    if (!value.empty()) BytesAlways(field, value);
  }
  // Written whatever the value: elements of repeated fields, members of a oneof, embedded messages.
  void VarintAlways(std::uint32_t field, std::uint64_t value);
  void BytesAlways(std::uint32_t field, absl::string_view value);

  // An embedded message of a size not known before: everything appended between the two is its contents. They nest.
  //   std::size_t mark = w.Open(5); w.Varint(1, x); w.Close(mark);
  [[nodiscard]] std::size_t Open(std::uint32_t field);
  void Close(std::size_t mark);

  // Tag and length alone: the caller appends exactly `size` bytes of contents. For those who know the size.
  void BytesHead(std::uint32_t field, std::size_t size);
  // An element of a packed repeated field, within its contents.
  void PackedVarint(std::uint64_t value) { AppendVarint(value); }

  // Bytes that are fields already.
  void Raw(absl::string_view fields) { out_->append(fields.data(), fields.size()); }

  [[nodiscard]] std::size_t size() const { return out_->size(); }
  [[nodiscard]] std::string* out() { return out_; }

 private:
  void AppendVarint(std::uint64_t value);
  void AppendTag(std::uint32_t field, WireType type) { AppendVarint((field << 3) | static_cast<std::uint32_t>(type)); }

  std::string* out_;
};

// Bytes that `value` takes as a varint: 1 to 10.
[[nodiscard]] std::size_t VarintSize(std::uint64_t value);

// Well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF): what a proto3 string must be.
[[nodiscard]] bool IsUtf8(absl::string_view s);

// One exact allocation that holds a copy of `s` and its reference count: for encodings made in a scratch string.
[[nodiscard]] Bytes CopyExact(absl::string_view s);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_WIRE_H_
