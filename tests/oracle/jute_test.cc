#include "tests/oracle/jute.h"

#include <gtest/gtest.h>

#include <limits>

namespace drover::oracle {
namespace {

using std::string_literals::operator""s;

TEST(JuteTest, IntegersAreBigEndian) {
  JuteWriter out;
  out.Int(0x01020304);
  out.Long(-2);
  out.Bool(true);
  EXPECT_EQ(out.bytes(), "\1\2\3\4\xff\xff\xff\xff\xff\xff\xff\xfe\1"s);
  JuteReader in(out.bytes());
  EXPECT_EQ(in.Int(), 0x01020304);
  EXPECT_EQ(in.Long(), -2);
  EXPECT_TRUE(in.Bool());
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.rest().empty());
}

TEST(JuteTest, NullIsNotEmpty) {
  JuteWriter out;
  out.Buffer(std::nullopt);
  out.Buffer("");
  out.String("a\0b"s);
  EXPECT_EQ(out.bytes(), "\xff\xff\xff\xff\0\0\0\0\0\0\0\3a\0b"s);
  JuteReader in(out.bytes());
  EXPECT_EQ(in.Buffer(), std::nullopt);
  EXPECT_EQ(in.Buffer(), "");
  EXPECT_EQ(in.String(), "a\0b"s);
  EXPECT_TRUE(in.ok());
}

TEST(JuteTest, WhatIsCutOffIsNotRead) {
  JuteReader number("\0\0\0"s);
  EXPECT_EQ(number.Int(), 0);
  EXPECT_FALSE(number.ok());
  const std::string longer = "\0\0\0\5abc"s;
  JuteReader text(longer);
  EXPECT_EQ(text.String(), "");
  EXPECT_FALSE(text.ok());
}

TEST(JuteTest, ACountThatCannotBeIsNone) {
  JuteWriter out;
  out.Int(std::numeric_limits<std::int32_t>::max());
  JuteReader in(out.bytes());
  EXPECT_EQ(in.Count(), 0);
  EXPECT_FALSE(in.ok());
  JuteWriter null;
  null.Int(-1);
  JuteReader none(null.bytes());
  EXPECT_EQ(none.Count(), 0);
  EXPECT_TRUE(none.ok());
}

}  // namespace
}  // namespace drover::oracle
