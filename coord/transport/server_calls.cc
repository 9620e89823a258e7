#include "coord/transport/server_calls.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/frame_bytes.h"
#include "coord/transport/link.h"
#include "coord/transport/stream_call.h"

namespace drover::transport {
namespace {

absl::Status ServerStops() {
  return absl::UnavailableError("this server stops");
}

// gRPC's word that a call is over; whoever handles the call is told.
class DoneRelay final : public Completion {
 public:
  void OnCompletion(bool ok) override { target->OnCompletion(ok); }
  Op* target = nullptr;
};

// One call as gRPC delivers it.
struct Incoming {
  explicit Incoming(ServerShared* s) : server(s) { ++server->calls; }
  ~Incoming() {
    if (--server->calls == 0 && server->no_calls_left) server->no_calls_left();
  }

  void Finish(const absl::Status& status, void* tag) {
    context.AddTrailingMetadata(kEndMark, "1");
    stream.Finish(ToGrpc(status), tag);
  }
  void WriteAndFinish(const base::Bytes& message, void* tag) {
    context.AddTrailingMetadata(kEndMark, "1");
    stream.WriteAndFinish(ToByteBuffer(message), grpc::WriteOptions(), grpc::Status::OK, tag);
  }
  [[nodiscard]] CallInfo Info() const {
    CallInfo info;
    info.method = context.method();
    info.peer = context.peer();
    info.metadata = FromGrpc(context.client_metadata());
    const auto deadline = context.deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) {
      info.time_left = std::chrono::duration_cast<base::Duration>(deadline - std::chrono::system_clock::now());
    }
    return info;
  }

  ServerShared* const server;
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  DoneRelay done;
};

// A bidi stream, or with `request_first` a server stream: one message in, then only out.
class ServerStreamCall final : public StreamCall {
 public:
  ServerStreamCall(std::unique_ptr<Incoming> incoming, bool request_first)
      : StreamCall(incoming->server->loop, incoming->server->options.receive_bytes_max, incoming->server->options.linger),
        incoming_(std::move(incoming)),
        request_first_(request_first),
        done_op_(this, &ServerStreamCall::OnDone),
        end_op_(this, &ServerStreamCall::OnEnded) {
    done_op_.Begin();
    incoming_->done.target = &done_op_;
  }

  void Accept() {
    if (!request_first_) {
      auto& method = std::get<StreamMethod>(incoming_->server->methods.at(incoming_->context.method()));
      SetEvents(method.acceptor(MakeConnection(), incoming_->Info()));
      Open();
    }
    ReadNext();
  }

  void Cut() override { incoming_->context.TryCancel(); }

 private:
  void StartRead(grpc::ByteBuffer* into, void* tag) override { incoming_->stream.Read(into, tag); }
  void StartWrite(const grpc::ByteBuffer& frame, void* tag) override { incoming_->stream.Write(frame, tag); }
  void StartEnd() override { incoming_->Finish(closing() ? close_status() : absl::OkStatus(), end_op_.Begin()); }

  void OnMessage(base::Bytes frame) override {
    if (!request_first_) {
      if (closing()) {
        ReadNext();  // what comes after Close is of no interest
      } else {
        StreamCall::OnMessage(std::move(frame));
      }
      return;
    }
    if (incoming_->server->closed) return Refuse(ServerStops());
    accepted_ = true;
    auto& method = std::get<ServerStreamMethod>(incoming_->server->methods.at(incoming_->context.method()));
    SetEvents(method.acceptor(std::move(frame), MakeConnection(), incoming_->Info()));
    Open();
  }

  void OnReadEnded() override {
    if (request_first_ && !accepted_) {
      Close(absl::InvalidArgumentError("the request is missing"));
      Open();
      LetGo();  // there is no connection that would
      return;
    }
    // A half-close, or a broken link: then OnDone says so within this wake-up, before the end would be sent.
    EndSoon();
  }

  void Refuse(const absl::Status& why) override {
    Close(why);
    if (request_first_) {
      Open();
      LetGo();
    }
  }

  void OnDone(bool /*ok*/) {
    cancelled_ = incoming_->context.IsCancelled();
    if (cancelled_) DropOutbox();
  }
  void OnEnded(bool /*ok*/) {}

  End HowItEnded() override {
    if (!refusal().ok()) return {base::CloseCause::kLocal, refusal()};
    if (cancelled_ && incoming_->server->stopping) return {base::CloseCause::kLocal, ServerStops()};
    if (cancelled_) return {base::CloseCause::kPeerGone, absl::UnavailableError("the client has gone")};
    if (closing()) return {base::CloseCause::kLocal, close_status()};
    return {base::CloseCause::kPeerClosed, absl::OkStatus()};
  }

  const std::unique_ptr<Incoming> incoming_;
  const bool request_first_;
  bool accepted_ = false;
  bool cancelled_ = false;
  Op done_op_;
  Op end_op_;
};

class UnaryServerCall final : public Call {
 public:
  explicit UnaryServerCall(std::unique_ptr<Incoming> incoming)
      : Call(incoming->server->loop),
        incoming_(std::move(incoming)),
        read_op_(this, &UnaryServerCall::OnRead),
        done_op_(this, &UnaryServerCall::OnDone),
        finish_op_(this, &UnaryServerCall::OnFinished) {
    done_op_.Begin();
    incoming_->done.target = &done_op_;
    incoming_->stream.Read(&request_, read_op_.Begin());
  }

  void Cut() override { incoming_->context.TryCancel(); }

 private:
  // In the hands of the handler; forgets the call when that ends first.
  struct Slot {
    explicit Slot(UnaryServerCall* c) : call(c) { call->slot_ = this; }
    ~Slot() { Answer(absl::InternalError("the server gave no answer")); }
    void Answer(absl::StatusOr<base::Bytes> answer) {
      if (call != nullptr) std::exchange(call, nullptr)->Answer(std::move(answer));
    }
    UnaryServerCall* call;
  };

  void OnRead(bool ok) {
    if (gone_) return LetGo();
    if (!ok) return Answer(absl::InvalidArgumentError("the request is missing"));
    const std::size_t size_max = incoming_->server->options.receive_bytes_max;
    if (request_.Length() > size_max) {
      return Answer(absl::ResourceExhaustedError(
          absl::StrCat("a request of ", request_.Length(), " bytes; at most ", size_max, " are taken")));
    }
    if (incoming_->server->closed) return Answer(ServerStops());
    base::Bytes request = FromByteBuffer(request_);
    request_.Clear();
    auto& method = std::get<UnaryMethod>(incoming_->server->methods.at(incoming_->context.method()));
    method.handler(std::move(request), incoming_->Info(),
                   [slot = std::make_unique<Slot>(this)](absl::StatusOr<base::Bytes> answer) { slot->Answer(std::move(answer)); });
  }

  void Answer(absl::StatusOr<base::Bytes> answer) {
    slot_ = nullptr;
    if (!gone_) {
      if (answer.ok()) {
        incoming_->WriteAndFinish(*answer, finish_op_.Begin());
      } else {
        incoming_->Finish(answer.status(), finish_op_.Begin());
      }
    }
    LetGo();
  }

  void OnDone(bool /*ok*/) {
    if (!incoming_->context.IsCancelled()) return;
    gone_ = true;
    if (slot_ != nullptr) {
      std::exchange(slot_, nullptr)->call = nullptr;
      LetGo();
    }
  }
  void OnFinished(bool /*ok*/) {}

  const std::unique_ptr<Incoming> incoming_;
  grpc::ByteBuffer request_;
  Slot* slot_ = nullptr;
  bool gone_ = false;
  Op read_op_;
  Op done_op_;
  Op finish_op_;
};

class ClientStreamServerCall final : public Call {
 public:
  explicit ClientStreamServerCall(std::unique_ptr<Incoming> incoming)
      : Call(incoming->server->loop),
        incoming_(std::move(incoming)),
        read_op_(this, &ClientStreamServerCall::OnRead),
        done_op_(this, &ClientStreamServerCall::OnDone),
        finish_op_(this, &ClientStreamServerCall::OnFinished) {
    done_op_.Begin();
    incoming_->done.target = &done_op_;
  }

  void Accept() {
    auto& method = std::get<ClientStreamMethod>(incoming_->server->methods.at(incoming_->context.method()));
    method.acceptor(std::make_unique<Face>(this), incoming_->Info());
  }

  void Cut() override { incoming_->context.TryCancel(); }

  // Tells what a read that came back empty means: by now OnDone has said whether the client is there.
  bool Flush() override {
    if (!read_done_) return false;
    auto done = std::exchange(read_done_, nullptr);
    if (cancelled_) {
      done(absl::CancelledError("the client has gone"));
    } else {
      done(std::optional<base::Bytes>());
    }
    return true;
  }

 private:
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)>;

  class Face final : public ClientStream {
   public:
    explicit Face(ClientStreamServerCall* call) : call_(call) {}
    ~Face() override {
      call_->read_done_ = nullptr;
      call_->Answer(absl::InternalError("the server gave no answer"));
      call_->LetGo();
    }
    void Read(ReadDone done) override { call_->Read(std::move(done)); }
    void Reply(absl::StatusOr<base::Bytes> answer) override { call_->Answer(std::move(answer)); }

   private:
    ClientStreamServerCall* const call_;
  };

  void Read(ReadDone done) {
    DROVER_CHECK(!read_done_) << "one read at a time";
    read_done_ = std::move(done);
    if (read_ended_ || cancelled_) {
      FlushSoon();
    } else {
      incoming_->stream.Read(&chunk_, read_op_.Begin());
    }
  }

  void OnRead(bool ok) {
    const std::size_t size_max = incoming_->server->options.receive_bytes_max;
    if (!ok) {
      read_ended_ = true;
      FlushSoon();
      return;
    }
    if (!read_done_) return;
    auto done = std::exchange(read_done_, nullptr);
    if (chunk_.Length() > size_max) {
      done(
          absl::ResourceExhaustedError(absl::StrCat("a message of ", chunk_.Length(), " bytes; at most ", size_max, " are taken")));
      return;
    }
    base::Bytes chunk = FromByteBuffer(chunk_);
    chunk_.Clear();
    done(std::optional<base::Bytes>(std::move(chunk)));
  }

  void Answer(absl::StatusOr<base::Bytes> answer) {
    if (answered_ || cancelled_) return;
    answered_ = true;
    if (answer.ok()) {
      incoming_->WriteAndFinish(*answer, finish_op_.Begin());
    } else {
      incoming_->Finish(answer.status(), finish_op_.Begin());
    }
  }

  void OnDone(bool /*ok*/) { cancelled_ = incoming_->context.IsCancelled(); }
  void OnFinished(bool /*ok*/) {}

  const std::unique_ptr<Incoming> incoming_;
  grpc::ByteBuffer chunk_;
  ReadDone read_done_;
  bool read_ended_ = false;
  bool cancelled_ = false;
  bool answered_ = false;
  Op read_op_;
  Op done_op_;
  Op finish_op_;
};

// One that no handler sees.
class RefusedCall final : public Call {
 public:
  RefusedCall(std::unique_ptr<Incoming> incoming, const absl::Status& why)
      : Call(incoming->server->loop),
        incoming_(std::move(incoming)),
        done_op_(this, &RefusedCall::OnEnd),
        finish_op_(this, &RefusedCall::OnEnd) {
    done_op_.Begin();
    incoming_->done.target = &done_op_;
    incoming_->Finish(why, finish_op_.Begin());
    LetGo();
  }
  void Cut() override { incoming_->context.TryCancel(); }

 private:
  void OnEnd(bool /*ok*/) {}

  const std::unique_ptr<Incoming> incoming_;
  Op done_op_;
  Op finish_op_;
};

// Waits for one call and hands it to its kind.
class AcceptCall final : public Call {
 public:
  explicit AcceptCall(ServerShared* server)
      : Call(server->loop),
        server_(server),
        incoming_(std::make_unique<Incoming>(server)),
        accept_op_(this, &AcceptCall::OnAccepted) {
    incoming_->context.AsyncNotifyWhenDone(static_cast<Completion*>(&incoming_->done));
    server->service.RequestCall(&incoming_->context, &incoming_->stream, server->loop->queue(), server->loop->server_queue(),
                                accept_op_.Begin());
    LetGo();
  }
  void Cut() override {}

 private:
  void OnAccepted(bool ok) {
    if (!ok) return;  // the server stops
    if (!server_->stopping) AcceptNext(server_);
    const auto found = server_->methods.find(incoming_->context.method());
    // Each of these owns itself.
    if (server_->closed) {
      new RefusedCall(std::move(incoming_), ServerStops());
    } else if (found == server_->methods.end()) {
      const absl::Status why =
          absl::UnimplementedError(absl::StrCat("no method ", incoming_->context.method(),
                                                " here: this is the address of another kind of server, or of another version"));
      new RefusedCall(std::move(incoming_), why);
    } else if (std::holds_alternative<UnaryMethod>(found->second)) {
      new UnaryServerCall(std::move(incoming_));
    } else if (std::holds_alternative<ClientStreamMethod>(found->second)) {
      (new ClientStreamServerCall(std::move(incoming_)))->Accept();
    } else {
      const bool request_first = std::holds_alternative<ServerStreamMethod>(found->second);
      (new ServerStreamCall(std::move(incoming_), request_first))->Accept();
    }
  }

  ServerShared* const server_;
  std::unique_ptr<Incoming> incoming_;
  Op accept_op_;
};

}  // namespace

void AcceptNext(ServerShared* server) {
  new AcceptCall(server);
}  // owns itself

}  // namespace drover::transport
