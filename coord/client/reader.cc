#include "drover/coord/reader.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/failure_words.h"
#include "coord/client/codec.h"
#include "coord/client/pages.h"
#include "coord/client/reply.h"
#include "coord/transport/unary_client.h"

namespace drover::coord {
namespace {

constexpr char kExecuteMethod[] = "/drover.coord.v1.Coordination/Execute";
// One node that is silent must not use up the time of those that would answer.
constexpr base::Duration kTryTimeout = std::chrono::seconds(5);
constexpr base::Duration kTryTimeoutMin = std::chrono::milliseconds(10);

}  // namespace

class Reader::Impl {
 public:
  Impl(std::vector<std::string> endpoints, std::vector<Credential> auth)
      : endpoints_(std::move(endpoints)), auth_(std::move(auth)) {}

  // `body`: a Request without an id, which a unary call does not need.
  template <typename T>
  absl::StatusOr<T> Ask(std::string body, std::chrono::steady_clock::time_point until) {
    for (const Credential& credential : auth_) client::AppendAuth(&body, credential);
    std::vector<std::string> words;
    bool answered = false;
    for (const std::string& endpoint : endpoints_) {
      transport::CallOptions options;
      options.timeout = std::clamp<base::Duration>(until - std::chrono::steady_clock::now(), kTryTimeoutMin, kTryTimeout);
      const absl::StatusOr<base::Bytes> bytes = unary_.Call(endpoint, kExecuteMethod, base::Bytes::Copy(body), options);
      if (!bytes.ok()) {
        words.push_back(absl::StrCat(endpoint, " (", bytes.status().message(), ")"));
        answered = answered || !base::IsOfSilence(bytes.status().message());
        continue;
      }
      client::AnswerView answer;
      if (!client::AnswerView::Parse(bytes->view(), &answer)) {
        return absl::InternalError(absl::StrCat(endpoint, " gave an answer that cannot be read"));
      }
      std::optional<absl::StatusOr<T>> result;
      client::Deliver(Callback<T>([&result](absl::StatusOr<T> value) { result = std::move(value); }), answer);
      return *std::move(result);
    }
    return absl::UnavailableError(
        absl::StrCat("no coordination node ", answered ? "serves" : "answered", ": ", absl::StrJoin(words, ", ")));
  }

 private:
  const std::vector<std::string> endpoints_;
  const std::vector<Credential> auth_;
  transport::BlockingUnary unary_;
};

Reader::Reader(std::vector<std::string> endpoints, std::vector<Credential> auth)
    : impl_(std::make_unique<Impl>(std::move(endpoints), std::move(auth))) {}
Reader::~Reader() = default;

absl::StatusOr<GetResult> Reader::Get(const std::string& path, base::Duration timeout) {
  absl::StatusOr<GetResult> got =
      impl_->Ask<GetResult>(client::EncodeGet(path, /*local=*/false), std::chrono::steady_clock::now() + timeout);
  if (got.ok()) got->node.path = path;  // the answer does not repeat it
  return got;
}

absl::StatusOr<ExistsResult> Reader::Exists(const std::string& path, base::Duration timeout) {
  return impl_->Ask<ExistsResult>(client::EncodeExists(path, /*local=*/false), std::chrono::steady_clock::now() + timeout);
}

absl::StatusOr<std::vector<std::string>> Reader::Children(const std::string& path, base::Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  std::vector<std::string> names;
  while (true) {
    const std::string body = client::EncodeChildren(path, names.empty() ? "" : names.back(), 0, /*local=*/false);
    absl::StatusOr<ChildrenPage> page = impl_->Ask<ChildrenPage>(body, until);
    if (!page.ok()) return page.status();
    for (std::string& name : page->names) names.push_back(std::move(name));
    if (!page->more || page->names.empty()) return names;
  }
}

absl::StatusOr<ListPage> Reader::List(const std::string& path, const std::string& after, std::uint32_t limit, bool with_data,
                                      base::Duration timeout) {
  return impl_->Ask<ListPage>(client::EncodeList(path, after, limit, with_data, /*local=*/false),
                              std::chrono::steady_clock::now() + timeout);
}

absl::StatusOr<CountResult> Reader::CountDescendants(const std::string& path, base::Duration timeout) {
  return impl_->Ask<CountResult>(client::EncodeCountDescendants(path, /*local=*/false), std::chrono::steady_clock::now() + timeout);
}

absl::StatusOr<std::vector<Node>> Reader::Ephemerals(SessionId session, const std::string& path, base::Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  return client::AllEphemerals([&](const AfterNode& after) {
    return impl_->Ask<ListPage>(client::EncodeEphemerals(session, path, after, 0, /*local=*/false), until);
  });
}

absl::StatusOr<AclResult> Reader::GetAcl(const std::string& path, base::Duration timeout) {
  return impl_->Ask<AclResult>(client::EncodeGetAcl(path, /*local=*/false), std::chrono::steady_clock::now() + timeout);
}

absl::StatusOr<std::vector<QuotaUsage>> Reader::Quotas(const std::string& path, base::Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  return client::AllQuotas(
      [&](const AfterNode& after) { return impl_->Ask<QuotasPage>(client::EncodeQuotas(path, after, 0, /*local=*/false), until); });
}

absl::StatusOr<IdentitiesResult> Reader::WhoAmI(base::Duration timeout) {
  return impl_->Ask<IdentitiesResult>(client::EncodeWhoAmI(/*local=*/false), std::chrono::steady_clock::now() + timeout);
}

absl::StatusOr<std::vector<SessionInfo>> Reader::Sessions(base::Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  return client::AllSessions(
      [&](SessionId after) { return impl_->Ask<SessionsPage>(client::EncodeSessions(after, 0, /*local=*/false), until); });
}

}  // namespace drover::coord
