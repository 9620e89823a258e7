#include "coord/base/wire.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "coord/base/random.h"

namespace drover::base {
namespace {

TEST(Wire, NumbersComeBackAsWritten) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t value : std::vector<std::uint64_t>{1, 127, 128, 300, 1u << 21, std::uint64_t{1} << 35, max - 1, max}) {
    std::string bytes;
    WireWriter(&bytes).Varint(3, value);
    EXPECT_EQ(bytes.size(), 1 + VarintSize(value));
    WireReader in(bytes);
    ASSERT_TRUE(in.Next());
    EXPECT_TRUE(in.Is(3, WireType::kVarint));
    EXPECT_EQ(in.number(), value);
    EXPECT_FALSE(in.Next());
    EXPECT_TRUE(in.ok());
  }
}

TEST(Wire, ZeroAndEmptyAreNotWrittenUnlessAsked) {
  std::string bytes;
  WireWriter out(&bytes);
  out.Varint(1, 0);
  out.Signed(2, 0);
  out.Bytes(3, "");
  EXPECT_TRUE(bytes.empty());
  out.VarintAlways(1, 0);
  out.BytesAlways(3, "");
  EXPECT_EQ(bytes, std::string("\x08\x00\x1a\x00", 4));
}

TEST(Wire, NegativeNumbersTakeTenBytes) {
  std::string bytes;
  WireWriter(&bytes).Signed(1, -1);
  EXPECT_EQ(bytes.size(), 11u);
  WireReader in(bytes);
  ASSERT_TRUE(in.Next());
  EXPECT_EQ(static_cast<std::int64_t>(in.number()), -1);
}

TEST(Wire, EmbeddedMessagesOfEverySizeCloseRight) {
  for (const std::size_t size : {0u, 1u, 120u, 125u, 126u, 127u, 128u, 16381u, 16384u, 70000u}) {
    const std::string contents(size, 'x');
    std::string bytes;
    WireWriter out(&bytes);
    out.Varint(1, 5);
    const std::size_t outer = out.Open(2);
    const std::size_t inner = out.Open(3);
    out.Bytes(4, contents);
    out.Close(inner);
    out.Varint(5, 6);
    out.Close(outer);
    out.Varint(7, 8);

    WireReader in(bytes);
    ASSERT_TRUE(in.Next());
    ASSERT_TRUE(in.Next());
    ASSERT_TRUE(in.Is(2, WireType::kBytes));
    WireReader in_outer(in.bytes());
    ASSERT_TRUE(in_outer.Next());
    WireReader in_inner(in_outer.bytes());
    EXPECT_EQ(in_inner.Next(), size > 0);
    EXPECT_EQ(in_inner.bytes(), contents);
    EXPECT_FALSE(in_inner.Next());
    EXPECT_TRUE(in_inner.ok());
    ASSERT_TRUE(in_outer.Next());
    EXPECT_EQ(in_outer.number(), 6u);
    ASSERT_TRUE(in.Next());
    EXPECT_EQ(in.number(), 8u);
    EXPECT_FALSE(in.Next());
    EXPECT_TRUE(in.ok());
  }
}

TEST(Wire, FixedNumbersAreLittleEndian) {
  WireReader in(absl::string_view("\x0d\x01\x02\x03\x04\x11\x01\x02\x03\x04\x05\x06\x07\x08", 14));
  ASSERT_TRUE(in.Next());
  EXPECT_TRUE(in.Is(1, WireType::kFixed32));
  EXPECT_EQ(in.number(), 0x04030201u);
  ASSERT_TRUE(in.Next());
  EXPECT_TRUE(in.Is(2, WireType::kFixed64));
  EXPECT_EQ(in.number(), 0x0807060504030201u);
  EXPECT_FALSE(in.Next());
  EXPECT_TRUE(in.ok());
}

TEST(Wire, GroupsAreSkippedWhole) {
  // Group 1 { varint 2 = 5; group 3 { bytes 4 = "x" } }, then varint 5 = 6.
  WireReader in(absl::string_view("\x0b\x10\x05\x1b\x22\x01x\x1c\x0c\x28\x06", 11));
  ASSERT_TRUE(in.Next());
  EXPECT_EQ(in.type(), WireType::kGroup);
  ASSERT_TRUE(in.Next());
  EXPECT_TRUE(in.Is(5, WireType::kVarint));
  EXPECT_EQ(in.number(), 6u);
  EXPECT_FALSE(in.Next());
  EXPECT_TRUE(in.ok());
}

TEST(Wire, MalformedInputIsRefused) {
  const std::vector<std::string> malformed = {
      "\x08",                                              // no value
      std::string("\x00\x01", 2),                          // field 0
      "\x08\xff",                                          // a varint that goes on
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",      // beyond 64 bits
      "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",  // eleven bytes
      "\x0a\x05hell",                                      // cut
      "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",      // longer than memory
      "\x0d\x01\x02\x03",                                  // cut fixed32
      "\x09\x01\x02\x03\x04\x05\x06\x07",                  // cut fixed64
      "\x0b\x10\x05",                                      // a group without end
      "\x0b\x14",                                          // another group's end
      "\x0c",                                              // an end without group
      "\x0e",                                              // wire type 6
      "\x0f",                                              // wire type 7
      std::string(1000, '\x0b'),                           // too deep
      "\xff\xff\xff\xff\xff\x01\x00",                      // a tag beyond 32 bits
  };
  for (const std::string& bytes : malformed) {
    WireReader in(bytes);
    while (in.Next()) {
    }
    EXPECT_FALSE(in.ok()) << testing::PrintToString(bytes);
    EXPECT_FALSE(in.Next());
  }
}

TEST(Wire, RepeatedFieldsAreFoundAmongOthers) {
  std::string bytes;
  WireWriter out(&bytes);
  out.Varint(1, 1);
  out.BytesAlways(2, "a");
  out.VarintAlways(2, 7);  // of another type: not an element
  out.BytesAlways(3, "x");
  out.BytesAlways(2, "");
  RepeatedBytes elements(bytes, 2);
  absl::string_view element;
  ASSERT_TRUE(elements.Next(&element));
  EXPECT_EQ(element, "a");
  ASSERT_TRUE(elements.Next(&element));
  EXPECT_EQ(element, "");
  EXPECT_FALSE(elements.Next(&element));
  EXPECT_TRUE(elements.ok());
}

TEST(Wire, PackedNumbersEndWithTheirField) {
  std::string packed;
  WireWriter out(&packed);
  out.PackedVarint(0);
  out.PackedVarint(300);
  PackedVarints in(packed);
  std::uint64_t value = 1;
  ASSERT_TRUE(in.Next(&value));
  EXPECT_EQ(value, 0u);
  ASSERT_TRUE(in.Next(&value));
  EXPECT_EQ(value, 300u);
  EXPECT_FALSE(in.Next(&value));
  EXPECT_TRUE(in.ok());
  PackedVarints cut(absl::string_view(packed).substr(0, 2));
  ASSERT_TRUE(cut.Next(&value));
  EXPECT_FALSE(cut.Next(&value));
  EXPECT_FALSE(cut.ok());
}

TEST(Wire, Utf8) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << testing::PrintToString(good);
  }
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\xa0", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(bad)) << testing::PrintToString(bad);
  }
}

TEST(Wire, CopyExactOutlivesItsSource) {
  Bytes copy;
  {
    const std::string source = "source";
    copy = CopyExact(source);
  }
  EXPECT_EQ(copy.view(), "source");
  EXPECT_TRUE(CopyExact("").empty());
}

// Whatever the bytes: the reader ends, and every view lies within its input (the sanitizers see an over-read; inputs are exact
// allocations).
TEST(Wire, RandomBytesNeverLeadOutside) {
  SeededRandom random(1);
  for (int round = 0; round < 200'000; ++round) {
    const std::size_t size = random.Below(24);
    std::vector<char> bytes(size);
    for (char& byte : bytes) byte = static_cast<char>(random.Below(3) == 0 ? random.Next() : random.Below(32));
    const absl::string_view view(bytes.data(), bytes.size());
    std::size_t fields = 0;
    WireReader in(view);
    while (in.Next()) {
      ++fields;
      ASSERT_LE(fields, size);
      if (in.bytes().empty()) continue;
      ASSERT_GE(in.bytes().data(), view.data());
      ASSERT_LE(in.bytes().data() + in.bytes().size(), view.data() + view.size());
    }
  }
}

}  // namespace
}  // namespace drover::base
