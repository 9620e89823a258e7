#include "tests/coord/server/sim_core.h"

#include <utility>

#include "gtest/gtest.h"

namespace drover::coord::server {

using std::chrono::seconds;

absl::Status SimCore::TryStart() {
  loop = std::make_unique<sim::SimLoop>(&world);
  disk = std::make_unique<sim::SimExecutor>(loop.get());
  snapshots = std::make_unique<sim::SimExecutor>(loop.get());
  random = std::make_unique<base::SeededRandom>(seed_ * 1000 + ++boots_);
  fatal = absl::OkStatus();
  NodeSeams seams;
  seams.loop = loop.get();
  seams.disk = disk.get();
  seams.snapshots = snapshots.get();
  seams.files = &files;
  seams.random = random.get();
  seams.on_fatal = [this](const absl::Status& s) { fatal = s; };
  absl::StatusOr<std::unique_ptr<Node>> opened = Node::Open(seams, options);
  if (!opened.ok()) {
    Destroy();
    return opened.status();
  }
  node = std::move(*opened);
  network.Listen(loop.get(), kAddress,
                 [this](std::unique_ptr<base::Connection> connection) { return node->Accept(std::move(connection)); });
  node->Start();
  return absl::OkStatus();
}

void SimCore::Start() {
  const absl::Status status = TryStart();
  ASSERT_TRUE(status.ok()) << status;
}

void SimCore::Crash(sim::Survival survival) {
  network.Kill(kHost);
  Destroy();
  files.Crash(survival);
}

void SimCore::Destroy() {
  if (loop) loop->Stop();
  node.reset();
  disk.reset();
  snapshots.reset();
  loop.reset();
}

SimClient::SimClient(sim::SimWorld* world, sim::SimNetwork* network, std::string host, std::string address)
    : loop(std::make_unique<sim::SimLoop>(world)),
      node(std::move(address)),
      world_(world),
      host_(std::move(host)),
      dialer_(network->NewDialer(loop.get(), host_)),
      contact_timer_(loop.get()) {}

SimClient::~SimClient() {
  contact_timer_.Cancel();
  connection.reset();
  loop->Stop();
}

void SimClient::Dial() {
  grant.reset();
  credits = 0;
  closed = false;
  connection = dialer_->Dial(node, this);
}

void SimClient::Open(std::uint32_t timeout_ms, std::uint32_t grace_ms) {
  v1::ClientFrame frame;
  frame.mutable_open()->set_timeout_ms(timeout_ms);
  frame.mutable_open()->set_disconnect_grace_ms(grace_ms);
  frame.mutable_open()->set_name(host_);
  Send(frame);
}

void SimClient::Resume() {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_session_id(session);
  frame.mutable_resume()->set_secret(secret);
  frame.mutable_resume()->set_seen_zxid(seen_zxid);
  frame.mutable_resume()->set_attach(++attaches_);
  Send(frame);
}

void SimClient::Connect(std::uint32_t timeout_ms, std::uint32_t grace_ms) {
  Dial();
  Open(timeout_ms, grace_ms);
  ASSERT_TRUE(RunUntil([this] { return grant.has_value() || closed; }));
  ASSERT_TRUE(grant.has_value()) << status;
}

void SimClient::Reconnect() {
  Dial();
  Resume();
  ASSERT_TRUE(RunUntil([this] { return grant.has_value() || closed; }));
  ASSERT_TRUE(grant.has_value()) << status;
}

void SimClient::Send(const v1::ClientFrame& frame) {
  connection->Send(base::Bytes::Adopt(frame.SerializeAsString()));
}

void SimClient::Contact() {
  v1::ClientFrame frame;
  frame.mutable_contact()->set_nonce(++last_nonce_);
  Send(frame);
}

void SimClient::KeepContact(base::Duration interval) {
  contact_timer_.Set(interval, [this, interval] {
    KeepContact(interval);
    if (connection && grant && !closed) Contact();
  });
}

v1::Request* SimClient::NewWrite() {
  v1::Request* request = next_.add_requests();
  request->set_number(++last_number_);
  return request;
}

v1::Request* SimClient::NewRead() {
  v1::Request* request = next_.add_requests();
  request->set_id(++last_id_);
  return request;
}

std::uint64_t SimClient::Create(const std::string& path, const std::string& data, bool ephemeral, bool sequential) {
  v1::Create* create = NewWrite()->mutable_create();
  create->set_path(path);
  create->set_data(data);
  create->set_ephemeral(ephemeral);
  create->set_sequential(sequential);
  return last_number_;
}

std::uint64_t SimClient::Set(const std::string& path, const std::string& data) {
  v1::Set* set = NewWrite()->mutable_set();
  set->set_path(path);
  set->set_data(data);
  return last_number_;
}

std::uint64_t SimClient::CloseSession() {
  NewWrite()->mutable_close_session();
  return last_number_;
}

std::uint64_t SimClient::Get(const std::string& path, bool local) {
  v1::Request* request = NewRead();
  request->set_local(local);
  request->mutable_get()->set_path(path);
  return last_id_;
}

std::uint64_t SimClient::Watch(const std::string& path, std::optional<v1::Position> after) {
  v1::Request* request = NewRead();
  v1::AddWatch* watch = request->mutable_add_watch();
  watch->set_watch_id(request->id());
  watch->set_path(path);
  watch->set_kind(v1::PERSISTENT_RECURSIVE);
  watch->set_with_data(true);
  if (after) *watch->mutable_after() = *after;
  return last_id_;
}

void SimClient::Flush(std::uint64_t seen) {
  next_.set_seen(seen);
  for (const v1::Request& request : next_.requests()) {
    if (request.number() != 0) writes_[request.number()] = request;
  }
  Send(next_);
  next_.Clear();
}

void SimClient::Resend(std::uint64_t first) {
  for (auto it = writes_.lower_bound(first); it != writes_.end(); ++it) *next_.add_requests() = it->second;
  Send(next_);
  next_.Clear();
}

const v1::Answer* SimClient::Written(std::uint64_t number) const {
  const auto it = write_answers.find(number);
  return it == write_answers.end() ? nullptr : &it->second;
}

const v1::Answer* SimClient::Read(std::uint64_t id) const {
  const auto it = read_answers.find(id);
  return it == read_answers.end() ? nullptr : &it->second;
}

const v1::Answer& SimClient::AwaitWrite(std::uint64_t number) {
  EXPECT_TRUE(RunUntil([&] { return Written(number) != nullptr; })) << "write " << number << " " << status;
  return write_answers[number];
}

const v1::Answer& SimClient::AwaitWriteResuming(std::uint64_t number) {
  while (!::testing::Test::HasFailure()) {
    EXPECT_TRUE(RunUntil([&] { return Written(number) != nullptr || closed; })) << "write " << number << " " << status;
    if (Written(number) != nullptr || !closed) break;
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    Reconnect();
    Resend(number);
  }
  return write_answers[number];
}

void SimClient::CreateNow(const std::string& path, const std::string& data) {
  const std::uint64_t create = Create(path, data);
  Flush(create - 1);
  ASSERT_EQ(AwaitWrite(create).code(), v1::OK) << path;
}

const v1::Answer& SimClient::AwaitRead(std::uint64_t id) {
  EXPECT_TRUE(RunUntil([&] { return Read(id) != nullptr; })) << "read " << id << " " << status;
  return read_answers[id];
}

bool SimClient::RunUntil(const std::function<bool()>& condition, base::Duration limit) {
  return world_->RunUntil(condition, limit);
}

void SimClient::OnFrame(base::Bytes bytes) {
  ++frames;
  v1::ServerFrame frame;
  ASSERT_TRUE(frame.ParseFromString(bytes.ToString()));
  if (frame.has_grant()) {
    grant = frame.grant();
    session = frame.grant().session_id();
    secret = frame.grant().secret();
  }
  if (frame.has_contact()) {
    EXPECT_GE(frame.contact().nonce(), acked_nonce);
    EXPECT_GE(frame.contact().time_ms(), acked_time) << "the cluster's time went back";
    acked_nonce = frame.contact().nonce();
    acked_time = frame.contact().time_ms();
  }
  told_to_move = told_to_move || frame.move();
  if (frame.credits() != 0) {
    EXPECT_GE(frame.credits(), credits);
    credits = frame.credits();
  }
  for (const v1::Item& item : frame.items()) {
    if (item.has_answer()) {
      const v1::Answer& answer = item.answer();
      if (answer.number() != 0) {
        write_answers[answer.number()] = answer;
        order.push_back("w" + std::to_string(answer.number()));
      } else {
        EXPECT_TRUE(read_answers.emplace(answer.id(), answer).second) << "read " << answer.id() << " answered twice";
        order.push_back("r" + std::to_string(answer.id()));
      }
      seen_zxid = std::max<std::uint64_t>(seen_zxid, answer.zxid());
    } else {
      const v1::Event& event = item.event();
      events.push_back(event);
      order.push_back("e" + std::to_string(event.zxid()) + "." + std::to_string(event.ordinal()));
      seen_zxid = std::max<std::uint64_t>(seen_zxid, event.zxid());
    }
  }
  bookmark = std::max<std::uint64_t>(bookmark, frame.bookmark_zxid());
}

void SimClient::OnClosed(base::CloseCause why, const absl::Status& s) {
  closed = true;
  cause = why;
  status = s;
}

}  // namespace drover::coord::server
