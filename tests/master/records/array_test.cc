#include "master/records/array.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::records {
namespace {

TEST(Array, IsReadAndWritten) {
  struct Row {
    const char* text;
    const char* written;
    std::uint32_t elements;
  };
  for (const Row& row : {
           Row{"0", "0", 1},
           Row{"0-999", "0-999", 1'000},
           Row{"1,3,7", "1,3,7", 3},
           Row{"0-90:10", "0-90:10", 10},
           Row{"0-99:10%3", "0-90:10%3", 10},
           Row{"5-5:9", "5", 1},
           Row{"4-6:1,8-9:5", "4-6,8", 4},
           Row{"0-999999%50", "0-999999%50", 1'000'000},
           Row{"9999999", "9999999", 1},
       }) {
    const auto array = ParseArray(row.text);
    ASSERT_TRUE(array.ok()) << row.text << ": " << array.status();
    EXPECT_EQ(ArrayText(*array), row.written);
    EXPECT_EQ(ElementsOf(*array), row.elements) << row.text;
    EXPECT_TRUE(SameElements(*array, *ParseArray(row.written)));
  }
}

TEST(Array, WhatIsNoneIsRefusedByName) {
  struct Row {
    const char* text;
    const char* sentence;
  };
  for (const Row& row : {
           Row{"", "an array is like"},
           Row{"a", "an array is like"},
           Row{"-3", "an array is like"},
           Row{"1-", "an array is like"},
           Row{"1,,2", "an array is like"},
           Row{"1-2-3", "an array is like"},
           Row{"1%", "an array is like"},
           Row{"+1", "an array is like"},
           Row{"1%0", "would never run"},
           Row{"0-9:0", "has a step of 0"},
           Row{"5-3", "5-3 runs backwards"},
           Row{"3,3", "3 does not come after 3"},
           Row{"0-9,5", "5 does not come after 0-9"},
           Row{"10000000", "an index is at most 9999999"},
           Row{"99999999999999", "too large"},
           Row{"0-1000000", "an array of 1000001 elements, at most 1000000"},
           Row{"0%1000001", "1000001 elements of an array at a time, at most 1000000"},
       }) {
    const auto array = ParseArray(row.text);
    ASSERT_FALSE(array.ok()) << row.text;
    EXPECT_NE(array.status().message().find(row.sentence), std::string::npos) << row.text << ": " << array.status();
  }
  std::string many = "0";
  for (int i = 1; i <= kArrayRangesMax; ++i) many += "," + std::to_string(2 * i);
  EXPECT_TRUE(absl::IsResourceExhausted(ParseArray(many).status()));
}

TEST(Array, PositionsAndIndexesGoBothWays) {
  const auto array = *ParseArray("2-4,10-30:10,77");
  const std::vector<std::uint32_t> indexes = {2, 3, 4, 10, 20, 30, 77};
  ASSERT_EQ(ElementsOf(array), indexes.size());
  for (std::uint32_t position = 0; position < indexes.size(); ++position) {
    EXPECT_EQ(IndexAt(array, position), indexes[position]);
    EXPECT_EQ(PositionOf(array, indexes[position]), position);
  }
  for (const std::uint32_t none : {0U, 1U, 5U, 11U, 25U, 31U, 76U, 78U}) EXPECT_FALSE(PositionOf(array, none).has_value()) << none;
}

TEST(ArrayChunk, KeepsHowEachElementEnded) {
  worker::v1::ArrayChunk chunk;
  SetStateIn(&chunk, 0, task::v1::SUCCEEDED);
  SetStateIn(&chunk, 4'095, task::v1::LOST);
  SetStateIn(&chunk, 4'096 + 7, task::v1::FAILED);  // by its position in the whole array
  EXPECT_EQ(chunk.states().size(), 2'048U);
  EXPECT_EQ(StateIn(chunk, 0, 0), task::v1::SUCCEEDED);
  EXPECT_EQ(StateIn(chunk, 0, 1), task::v1::STATE_UNSPECIFIED);
  EXPECT_EQ(StateIn(chunk, 0, 7), task::v1::FAILED);
  EXPECT_EQ(StateIn(chunk, 0, 4'095), task::v1::LOST);
  SetStateIn(&chunk, 7, task::v1::CANCELLED);
  EXPECT_EQ(StateIn(chunk, 0, 7), task::v1::CANCELLED);
  EXPECT_EQ(StateIn(chunk, 0, 6), task::v1::STATE_UNSPECIFIED);
}

TEST(ArrayChunk, InALaterLifeOnlySuccessStays) {
  worker::v1::ArrayChunk chunk;
  SetStateIn(&chunk, 0, task::v1::SUCCEEDED);
  SetStateIn(&chunk, 1, task::v1::FAILED);
  EXPECT_EQ(StateIn(chunk, 1, 0), task::v1::SUCCEEDED);
  EXPECT_EQ(StateIn(chunk, 1, 1), task::v1::STATE_UNSPECIFIED);
  MoveTo(1, &chunk);
  EXPECT_EQ(StateIn(chunk, 1, 0), task::v1::SUCCEEDED);
  EXPECT_EQ(StateIn(chunk, 1, 1), task::v1::STATE_UNSPECIFIED);
  SetStateIn(&chunk, 1, task::v1::LOST);
  EXPECT_EQ(StateIn(chunk, 1, 1), task::v1::LOST);
}

TEST(ElementRecord, IsThatOfASingleTask) {
  worker::v1::TaskRecord array;
  *array.mutable_policy()->mutable_array() = *ParseArray("0-9");
  array.mutable_policy()->set_retries(3);
  array.mutable_policy()->set_delay_ms(5);
  array.mutable_policy()->set_start_at_ms(6);
  array.mutable_policy()->add_dependencies()->set_task("a");
  Normalise(array.mutable_policy());
  array.set_program("p");
  array.set_reruns(2);
  array.set_submitted_at(77);
  const worker::v1::TaskRecord element = ElementOf(array);
  EXPECT_FALSE(element.policy().has_array());
  EXPECT_TRUE(element.policy().dependencies().empty());
  EXPECT_EQ(element.policy().delay_ms() + element.policy().start_at_ms(), 0);
  EXPECT_EQ(element.policy().retries(), 3U);
  EXPECT_EQ(element.state(), task::v1::READY);
  EXPECT_EQ(element.array_life(), 2U);
  EXPECT_EQ(element.submitted_at(), 77);
  EXPECT_EQ(element.spec_digest(), SpecDigest(element.policy(), absl::string_view("p")));
  EXPECT_TRUE(CheckPolicy(element.policy()).ok());
}

}  // namespace
}  // namespace drover::records
