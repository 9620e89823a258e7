#include "client/cli/task_filter.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/base/status.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

constexpr std::size_t kPage = 1'000;

absl::Status ParseStates(const std::string& text, std::vector<client::State>* states) {
  states->clear();
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    const std::optional<client::State> state = client::ParseState(name);
    if (!state.has_value() || *state == client::State::kUnspecified) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", name,
          "\" is no state: it is WAITING, READY, ASSIGNED, RUNNING, SUCCEEDED, FAILED, CANCELLED or LOST, or several with commas"));
    }
    states->push_back(*state);
  }
  return absl::OkStatus();
}

absl::Status CheckName(const char* option, const std::string& name) {
  if (name.empty() || records::IsName(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(option, ": \"", name, "\" will not do: ", records::kNameRule));
}

}  // namespace

void TaskFilter::AddTo(process::OptionSet* options) {
  options->Custom(
      "--state", [this](const std::string& text) { return ParseStates(text, &states); },
      "Those in this state, or in one of several, like READY,RUNNING");
  options->Text("--queue", &queue, "Those of this queue");
  options->Text("--name", &name, "Those of this name");
  options->Text("--key", &key, "Those of this key");
  options->Text("--worker", &worker, "Those that this worker holds, or, if they have ended, held last");
  options->Text("--array", &array, "The elements of this array that were handed out");
}

absl::Status TaskFilter::Check() const {
  DROVER_RETURN_IF_ERROR(CheckName("--queue", queue));
  if (!array.empty() && !records::IsTaskId(array)) {
    return absl::InvalidArgumentError(absl::StrCat("--array: \"", array, "\" will not do: ", records::kTaskIdRule));
  }
  return CheckName("--worker", worker);
}

absl::Status TaskFilter::ForEachPage(client::TaskClient& tasks, std::size_t limit,
                                     const std::function<absl::Status(const std::vector<client::Task>&)>& on_page) const {
  client::ListOptions options;
  options.states = states;
  options.queue = queue;
  options.name = name;
  options.key = key;
  options.worker = worker;
  options.array = array;
  std::size_t seen = 0;
  while (limit == 0 || seen < limit) {
    options.limit = static_cast<std::uint32_t>(limit == 0 ? kPage : std::min(kPage, limit - seen));
    auto page = tasks.List(options);
    if (!page.ok()) return page.status();
    // Tasks of one transaction come together, though they are more than asked for.
    if (limit != 0 && page->tasks.size() > limit - seen) page->tasks.resize(limit - seen);
    seen += page->tasks.size();
    DROVER_RETURN_IF_ERROR(on_page(page->tasks));
    if (page->next.empty()) break;
    options.after = page->next;
  }
  return absl::OkStatus();
}

}  // namespace drover::cli
