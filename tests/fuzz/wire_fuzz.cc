// coord/base/wire.h: the reader of protobuf's wire format under all frames, and its writer.
#include <cstdint>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/base/wire.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using base::WireReader;
using base::WireType;

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;
  absl::string_view bytes;

  friend bool operator==(const Field&, const Field&) = default;
};

// All but groups, which are skipped whole. False: malformed.
bool ReadAll(absl::string_view bytes, std::vector<Field>* out) {
  WireReader in(bytes);
  while (in.Next()) {
    DROVER_CHECK(in.field() != 0 && in.field() < (1u << 29));
    DROVER_CHECK(Within(in.bytes(), bytes));
    DROVER_CHECK(in.type() == WireType::kBytes || in.bytes().empty());
    if (in.type() != WireType::kGroup) out->push_back({in.field(), in.type(), in.number(), in.bytes()});
  }
  DROVER_CHECK(!in.Next());  // the end stays the end
  return in.ok();
}

void CheckPacked(absl::string_view bytes) {
  base::PackedVarints in(bytes);
  std::string again;
  base::WireWriter out(&again);
  std::vector<std::uint64_t> values;
  std::size_t size = 0;
  for (std::uint64_t value = 0; in.Next(&value);) {
    values.push_back(value);
    out.PackedVarint(value);
    size += base::VarintSize(value);
  }
  DROVER_CHECK(again.size() == size && size <= bytes.size());
  base::PackedVarints written(again);
  for (const std::uint64_t value : values) {
    std::uint64_t read = 0;
    DROVER_CHECK(written.Next(&read) && read == value);
  }
  std::uint64_t none = 0;
  DROVER_CHECK(!written.Next(&none) && written.ok());
}

// What the writer makes of the fields, varints and bytes, is read as the same fields.
void CheckRoundTrip(const std::vector<Field>& fields) {
  std::string bytes;
  base::WireWriter out(&bytes);
  std::vector<Field> kept;
  for (const Field& field : fields) {
    if (field.type == WireType::kVarint) {
      out.VarintAlways(field.number, field.value);
    } else if (field.type == WireType::kBytes) {
      const std::size_t mark = out.Open(field.number);
      out.Raw(field.bytes);
      out.Close(mark);
    } else {
      continue;
    }
    kept.push_back(field);
  }
  std::vector<Field> read;
  DROVER_CHECK(ReadAll(bytes, &read));
  DROVER_CHECK(read == kept);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view bytes = ViewOf(data, size);
  {
    // Nothing is allocated for reading.
    const AllocationBound bound(0, 0, 0);
    drover::base::WireReader in(bytes);
    while (in.Next()) {
    }
    (void)drover::base::IsUtf8(bytes);
  }
  std::vector<Field> fields;
  (void)ReadAll(bytes, &fields);
  CheckRoundTrip(fields);
  CheckPacked(bytes);
  for (const Field& field : fields) CheckPacked(field.bytes);
  DROVER_CHECK(drover::base::CopyExact(bytes).view() == bytes);
  return 0;
}
