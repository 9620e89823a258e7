#include "coord/client/request_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord::client {
namespace {

v1::ClientFrame Sent(const std::string& frame) {
  v1::ClientFrame parsed;
  EXPECT_TRUE(parsed.ParseFromString(frame));
  return parsed;
}

AnswerView Write(std::uint64_t number, Code code = Code::kOk) {
  AnswerView answer;
  answer.number = number;
  answer.code = code;
  return answer;
}

TEST(RequestQueueTest, ARequestKeepsItsNumberFromStreamToStream) {
  RequestQueue queue({10, 1000});
  queue.Add(true, EncodeDelete("/a", std::nullopt), {});
  queue.Add(true, EncodeDelete("/b", std::nullopt), {});
  std::string frame;
  EXPECT_EQ(queue.Fill(&frame, 1000, 1), 1U);
  EXPECT_EQ(Sent(frame).requests(0).number(), 1U);
  queue.StartStream();
  frame.clear();
  EXPECT_EQ(queue.Fill(&frame, 1000, 10), 2U);
  EXPECT_EQ(Sent(frame).requests(0).number(), 1U);
  EXPECT_EQ(Sent(frame).requests(0).delete_().path(), "/a");
  EXPECT_EQ(Sent(frame).requests(1).number(), 2U);
}

TEST(RequestQueueTest, SeenIsTheHighestNumberWithNoGapBelow) {
  RequestQueue queue({10, 1000});
  for (int i = 0; i < 3; ++i) queue.Add(true, EncodeDelete("/a", std::nullopt), {});
  std::string frame;
  EXPECT_EQ(queue.Fill(&frame, 1000, 10), 3U);
  EXPECT_EQ(queue.seen(), 0U);
  RequestQueue::Answered answered;
  EXPECT_EQ(queue.OnAnswer(Write(2), &answered), RequestQueue::Verdict::kAnswered);
  EXPECT_EQ(queue.seen(), 0U);
  EXPECT_EQ(queue.OnAnswer(Write(1), &answered), RequestQueue::Verdict::kAnswered);
  EXPECT_EQ(queue.seen(), 2U);
  EXPECT_EQ(queue.OnAnswer(Write(1), &answered), RequestQueue::Verdict::kStale);
  EXPECT_EQ(queue.OnAnswer(Write(4), &answered), RequestQueue::Verdict::kBroken) << "a number never given out";
}

TEST(RequestQueueTest, ItsBoundsCountWhatIsNotAnswered) {
  RequestQueue queue({2, 100});
  EXPECT_TRUE(queue.HasRoom(100));
  EXPECT_FALSE(queue.HasRoom(101));
  queue.Add(true, std::string(60, 'x'), {});
  EXPECT_FALSE(queue.HasRoom(41));
  queue.Add(true, std::string(10, 'x'), {});
  EXPECT_FALSE(queue.HasRoom(1)) << "two are enough";
  std::string frame;
  EXPECT_EQ(queue.Fill(&frame, 1000, 10), 2U);
  RequestQueue::Answered answered;
  EXPECT_EQ(queue.OnAnswer(Write(1), &answered), RequestQueue::Verdict::kAnswered);
  EXPECT_TRUE(queue.HasRoom(90));
  EXPECT_FALSE(queue.HasRoom(91));
}

// A service as the protocol describes it: applies a write only if it is the next one, remembers answers up to the seen-mark, turns
// writes back at random; links break at random. Whatever happens, each write takes effect once and in order, each call is answered
// once and with the first answer, and a read shows every write made before it.
class RequestQueueModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RequestQueueModelTest, EveryWriteTakesEffectOnceAndInOrder) {
  base::SeededRandom random(GetParam());
  RequestQueue queue({1000, 1 << 20});
  // The service: writes applied so far, their answers by number, its mark.
  std::vector<std::string> applied;
  std::map<std::uint64_t, std::uint64_t> kept;  // number to zxid
  std::uint64_t seen = 0;
  std::uint64_t credits = 0;
  std::deque<v1::Request> arriving;
  std::deque<v1::Answer> leaving;

  std::uint64_t calls = 0;
  std::uint64_t writes = 0;
  std::map<std::uint64_t, std::uint64_t> answers;  // call to zxid: each once
  std::map<std::uint64_t, std::uint64_t> least;    // of reads: writes made before
  const auto make = [&] {
    const std::uint64_t call = ++calls;
    if (random.Below(3) != 0) {
      ++writes;
      queue.Add(true, EncodeDelete("/" + std::to_string(call), std::nullopt), Callback<DeleteResult>([&, call](auto result) {
                  ASSERT_TRUE(result.ok());
                  EXPECT_TRUE(answers.emplace(call, result->zxid.value).second);
                }));
    } else {
      least[call] = writes;
      queue.Add(false, EncodeSync(false), Callback<Zxid>([&, call](auto result) {
                  ASSERT_TRUE(result.ok());
                  EXPECT_TRUE(answers.emplace(call, result->value).second);
                }));
    }
  };
  const auto serve = [&](bool calm) {
    const v1::Request request = arriving.front();
    arriving.pop_front();
    v1::Answer answer;
    if (request.number() == 0) {
      answer.set_id(request.id());
      answer.set_zxid(applied.size());
    } else {
      answer.set_number(request.number());
      if (request.number() <= applied.size()) {
        ASSERT_TRUE(kept.count(request.number()) > 0) << "asked again for an answer that was seen";
        answer.set_zxid(kept[request.number()]);
      } else if (request.number() != applied.size() + 1) {
        answer.set_code(v1::OUT_OF_ORDER);
      } else if (!calm && random.Below(10) == 0) {
        answer.set_code(v1::WINDOW_FULL);
      } else {
        applied.push_back(request.delete_().path());
        answer.set_zxid(applied.size());
        kept[request.number()] = applied.size();
      }
    }
    leaving.push_back(answer);
  };
  const auto step = [&](bool calm) {
    switch (random.Below(calm ? 3 : 6)) {
      case 0: {
        std::string frame;
        AppendSeen(&frame, queue.seen());
        credits -= queue.Fill(&frame, 30 + random.Below(200), credits);
        const v1::ClientFrame sent = Sent(frame);
        seen = std::max(seen, sent.seen());
        kept.erase(kept.begin(), kept.upper_bound(seen));
        for (const v1::Request& request : sent.requests()) arriving.push_back(request);
        break;
      }
      case 1:
        if (!arriving.empty()) serve(calm);
        ++credits;
        break;
      case 2:
        if (!leaving.empty()) {
          const std::string bytes = leaving.front().SerializeAsString();
          leaving.pop_front();
          AnswerView answer;
          ASSERT_TRUE(AnswerView::Parse(bytes, &answer));
          RequestQueue::Answered answered;
          const RequestQueue::Verdict verdict = queue.OnAnswer(answer, &answered);
          ASSERT_NE(verdict, RequestQueue::Verdict::kBroken);
          if (verdict == RequestQueue::Verdict::kAnswered) Deliver(std::move(answered.reply), answer);
        }
        break;
      case 3:
      case 4:
        if (queue.size() < 40) make();
        break;
      default:
        if (random.Below(8) == 0) {  // the link breaks: what is under way arrives or not, answers are lost
          while (!arriving.empty() && random.Below(3) != 0) serve(false);
          arriving.clear();
          leaving.clear();
          credits = random.Below(10);
          queue.StartStream();
        }
    }
  };
  for (int i = 0; i < 5000; ++i) step(false);
  for (int i = 0; i < 5000 && queue.size() > 0; ++i) step(true);

  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(answers.size(), calls);
  EXPECT_EQ(applied.size(), writes);
  std::uint64_t nth = 0;
  for (std::uint64_t call = 1; call <= calls; ++call) {
    if (least.count(call) > 0) {
      EXPECT_GE(answers[call], least[call]) << "a read did not show what was written before it";
      continue;
    }
    ++nth;
    EXPECT_EQ(applied[nth - 1], "/" + std::to_string(call));
    EXPECT_EQ(answers[call], nth) << "not the first answer";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RequestQueueModelTest, ::testing::Range<std::uint64_t>(1, 51));

}  // namespace
}  // namespace drover::coord::client
