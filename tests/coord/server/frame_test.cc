#include "coord/server/frame.h"

#include <string>

#include "drover/coord/v1/coord.pb.h"
#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

TEST(FrameTest, ReadsWhatProtobufWrites) {
  v1::ClientFrame frame;
  frame.mutable_open()->set_timeout_ms(1234);
  frame.mutable_open()->set_disconnect_grace_ms(250);
  frame.mutable_open()->set_name("a name");
  frame.mutable_resume()->set_session_id(1ULL << 50);
  frame.mutable_resume()->set_secret("0123456789abcdef");
  frame.mutable_resume()->set_seen_zxid(99);
  frame.set_seen(7);
  frame.mutable_contact();
  for (int i = 0; i < 3; ++i) frame.add_requests()->set_number(i);
  const std::string bytes = frame.SerializeAsString();
  ClientFrameView view;
  ASSERT_TRUE(ClientFrameView::Parse(bytes, &view));
  ASSERT_TRUE(view.open.has_value());
  EXPECT_EQ(view.open->timeout_ms, 1234U);
  EXPECT_EQ(view.open->disconnect_grace_ms, 250U);
  EXPECT_EQ(view.open->name, "a name");
  ASSERT_TRUE(view.resume.has_value());
  EXPECT_EQ(view.resume->session, base::SessionId(1ULL << 50));
  EXPECT_EQ(view.resume->secret, "0123456789abcdef");
  EXPECT_EQ(view.resume->seen_zxid, base::Zxid(99));
  EXPECT_EQ(view.seen, 7U);
  EXPECT_EQ(view.contact, 0U) << "there, although its nonce is 0";
  EXPECT_EQ(view.request_count, 3U);
  base::RepeatedBytes requests = view.requests();
  absl::string_view element;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(requests.Next(&element));
    v1::Request request;
    EXPECT_TRUE(request.ParseFromArray(element.data(), static_cast<int>(element.size())));
    EXPECT_EQ(request.number(), static_cast<std::uint64_t>(i));
  }
  EXPECT_FALSE(requests.Next(&element));
}

TEST(FrameTest, AnEmptyFrameHoldsNothing) {
  ClientFrameView view;
  ASSERT_TRUE(ClientFrameView::Parse("", &view));
  EXPECT_FALSE(view.open || view.resume || view.contact);
  EXPECT_EQ(view.request_count, 0U);
}

TEST(FrameTest, EveryCutOfAFrameIsMalformedOrShorter) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_session_id(300);
  frame.mutable_resume()->set_secret("secret");
  const std::string bytes = frame.SerializeAsString();
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    ClientFrameView view;
    EXPECT_FALSE(ClientFrameView::Parse(absl::string_view(bytes).substr(0, size), &view)) << size;
  }
}

TEST(FrameTest, WritesWhatProtobufReads) {
  std::string bytes;
  Grant grant;
  grant.session = base::SessionId(5);
  grant.secret = "0123456789abcdef";
  grant.timeout_ms = 6000;
  grant.last_write = 8;
  grant.node = base::NodeId(1);
  grant.cluster = base::ClusterId(UINT64_MAX);
  AppendGrant(grant, &bytes);
  AppendContactAck(3, base::WallTime(-1), &bytes);
  AppendCredits(256, &bytes);
  AppendBookmark(base::Zxid(77), &bytes);
  v1::ServerFrame frame;
  ASSERT_TRUE(frame.ParseFromString(bytes));
  EXPECT_EQ(frame.grant().session_id(), 5U);
  EXPECT_EQ(frame.grant().secret(), "0123456789abcdef");
  EXPECT_EQ(frame.grant().timeout_ms(), 6000U);
  EXPECT_EQ(frame.grant().last_write(), 8U);
  EXPECT_EQ(frame.grant().node_id(), 1U);
  EXPECT_EQ(frame.grant().cluster_id(), UINT64_MAX);
  EXPECT_EQ(frame.contact().nonce(), 3U);
  EXPECT_EQ(frame.contact().time_ms(), -1);
  EXPECT_EQ(frame.credits(), 256U);
  EXPECT_EQ(frame.bookmark_zxid(), 77U);
}

}  // namespace
}  // namespace drover::coord::server
