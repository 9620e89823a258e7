#include "master/records/array_view.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "master/records/array.h"
#include "master/records/codec.h"

namespace drover::records {
namespace {

using task::v1::CANCELLED;
using task::v1::FAILED;
using task::v1::READY;
using task::v1::RUNNING;
using task::v1::STATE_UNSPECIFIED;
using task::v1::SUCCEEDED;

worker::v1::TaskRecord Record(const char* array, std::uint32_t life = 0) {
  worker::v1::TaskRecord record;
  *record.mutable_policy()->mutable_array() = *ParseArray(array);
  record.set_reruns(life);
  return record;
}

ChunkView Chunk(const std::map<std::uint32_t, task::v1::State>& ends, std::uint32_t life = 0) {
  ChunkView chunk;
  chunk.chunk.set_life(life);
  for (const auto& [position, end] : ends) SetStateIn(&chunk.chunk, position, end);
  return chunk;
}

TEST(ArrayView, KnowsWhatIsFreeLiveAndEnded) {
  ArrayView view;
  EXPECT_TRUE(view.empty());
  view.SetRecord(Record("10-19"));
  EXPECT_EQ(view.size(), 10U);
  EXPECT_EQ(view.free(), 10U);
  view.SetElement(10, READY, 0);
  view.SetElement(11, RUNNING, 0);
  view.SetElement(12, FAILED, 0);
  view.SetElement(99, READY, 0);  // no element of it
  EXPECT_EQ(view.free(), 7U);
  EXPECT_EQ(view.live().size(), 2U);
  EXPECT_EQ(view.ready(), 1U);
  EXPECT_TRUE(view.IsUnfolded(12));
  EXPECT_EQ(view.NextFree(0), 3U);
  EXPECT_EQ(view.records(), 4U);

  view.SetChunk(0, Chunk({{2, FAILED}, {9, SUCCEEDED}}));
  EXPECT_FALSE(view.IsUnfolded(12));
  EXPECT_EQ(view.ended(), 2U);
  EXPECT_EQ(view.Count(FAILED), 1U);
  EXPECT_EQ(view.free(), 6U);
  const auto unsuccessful = [&view](std::size_t ranges_max, bool over) {
    std::string joined;
    for (const auto& range : view.Unsuccessful(ranges_max, over)) joined += RangeText(range) + " ";
    return joined;
  };
  EXPECT_EQ(unsuccessful(9, false), "12 ");
  EXPECT_EQ(unsuccessful(9, true), "12-18 ") << "what was not handed out, too";
  EXPECT_EQ(unsuccessful(0, false), "");

  // One that somebody deleted can be handed out again.
  view.RemoveElement(10);
  EXPECT_EQ(view.NextFree(0), 0U);
  EXPECT_EQ(view.ready(), 0U);
}

TEST(ArrayView, InALaterLifeWhatDidNotSucceedIsFreeAgain) {
  ArrayView view;
  view.SetChunk(0, Chunk({{0, SUCCEEDED}, {1, FAILED}, {2, CANCELLED}}));
  view.SetElement(1, FAILED, 0);
  view.SetRecord(Record("0-3"));
  EXPECT_EQ(view.ended(), 3U);
  EXPECT_EQ(view.free(), 1U);
  view.SetRecord(Record("0-3", 1));
  EXPECT_EQ(view.ended(), 1U);
  EXPECT_EQ(view.free(), 3U);
  EXPECT_EQ(view.NextFree(0), 1U);
  EXPECT_FALSE(view.IsUnfolded(1));
  view.SetElement(1, SUCCEEDED, 1);
  EXPECT_TRUE(view.IsUnfolded(1));
}

TEST(ArrayView, WhatIsLeftOfOneThatIsGoneIsSeen) {
  ArrayView view;
  view.SetRecord(Record("0-3"));
  view.SetChunk(0, Chunk({{0, SUCCEEDED}}));
  view.SetElement(1, READY, 0);
  view.RemoveRecord();
  EXPECT_FALSE(view.present());
  EXPECT_FALSE(view.empty());
  EXPECT_EQ(view.size(), 0U);
  EXPECT_TRUE(view.live().empty());
  view.RemoveChunk(0);
  view.RemoveElement(1);
  EXPECT_TRUE(view.empty());
}

// Whatever changes, it says the same as one that was told all anew.
TEST(ArrayView, IsWhatOneThatBeginsAnewWouldBe) {
  constexpr std::uint32_t kSize = 9'000;
  std::mt19937 random(5);
  ArrayView view;
  std::map<std::uint32_t, ChunkView> chunks;
  std::map<std::uint32_t, std::pair<task::v1::State, std::uint32_t>> elements;
  std::uint32_t life = 0;
  view.SetRecord(Record("0-8999"));
  const task::v1::State states[] = {READY, RUNNING, SUCCEEDED, FAILED};
  for (int step = 0; step < 2'000; ++step) {
    const std::uint32_t position = random() % kSize;
    switch (random() % 16) {
      case 0: {
        const std::uint32_t number = random() % 3;
        chunks.erase(number);
        view.RemoveChunk(number);
        break;
      }
      case 1:
        view.SetRecord(Record("0-8999", ++life));
        break;
      case 2:
      case 3:
      case 4:
      case 5: {
        ChunkView& chunk = chunks[ChunkOf(position)];
        MoveTo(life, &chunk.chunk);
        SetStateIn(&chunk.chunk, position, random() % 4 == 0 ? STATE_UNSPECIFIED : states[2 + random() % 2]);
        view.SetChunk(ChunkOf(position), chunk);
        break;
      }
      case 6:
        elements.erase(position);
        view.RemoveElement(position);
        break;
      default:
        elements[position] = {states[random() % 4], life - random() % 2 * (life > 0 ? 1 : 0)};
        view.SetElement(position, elements[position].first, elements[position].second);
    }
    (void)view.NextFree(random() % 2 == 0 ? 0 : position);
    if (step % 40 != 0) continue;
    ArrayView anew;
    for (const auto& [index, element] : elements) anew.SetElement(index, element.first, element.second);
    anew.SetRecord(Record("0-8999", life));
    for (const auto& [number, chunk] : chunks) anew.SetChunk(number, chunk);
    ASSERT_EQ(view.ended(), anew.ended()) << step;
    ASSERT_EQ(view.free(), anew.free()) << step;
    ASSERT_EQ(view.ready(), anew.ready()) << step;
    ASSERT_EQ(view.live(), anew.live()) << step;
    ASSERT_EQ(view.unfolded(), anew.unfolded()) << step;
    ASSERT_EQ(view.Count(FAILED), anew.Count(FAILED)) << step;
    std::uint32_t free = 0;
    for (auto at = view.NextFree(0); at < kSize; at = view.NextFree(at + 1)) ++free;
    ASSERT_EQ(free, view.free()) << step;
  }
}

}  // namespace
}  // namespace drover::records
