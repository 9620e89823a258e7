#include "client/cli/task_json.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "coord/base/status.h"
#include "coord/process/options.h"
#include "master/records/record_limits.h"

namespace drover::cli {
namespace {

// The text that an option takes for it.
absl::StatusOr<std::string> TextOf(absl::string_view key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" has a value that is neither text nor a number"));
}

absl::StatusOr<std::vector<std::string>> TextsOf(absl::string_view key, const Json& value) {
  if (!value.is_array()) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is no list"));
  std::vector<std::string> texts;
  for (const Json& element : value) {
    DROVER_ASSIGN_OR_RETURN(std::string text, TextOf(key, element));
    texts.push_back(std::move(text));
  }
  return texts;
}

// Of any other option the last value would count, as on a command line.
bool MayBeSeveral(const std::string& key) {
  for (const char* several : {"after", "env", "label", "require", "resource"}) {
    if (key == several) return true;
  }
  return false;
}

// "--retries 3", "--env A=1 --env B=2", "--at-most-once"
absl::Status AddOption(const std::string& key, const Json& value, std::vector<std::string>* args) {
  const std::string option = absl::StrCat("--", key == "stdin_file" ? "stdin" : absl::StrReplaceAll(key, {{"_", "-"}}));
  if (value.is_boolean()) {
    if (value.get<bool>()) args->push_back(option);
    return absl::OkStatus();
  }
  std::vector<std::string> texts;
  if (value.is_object()) {
    for (const auto& [name, text] : value.items()) {
      if (absl::StrContains(name, "=")) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" has a name with a = in it"));
      DROVER_ASSIGN_OR_RETURN(const std::string of_name, TextOf(absl::StrCat(key, ".", name), text));
      texts.push_back(absl::StrCat(name, "=", of_name));
    }
  } else {
    DROVER_ASSIGN_OR_RETURN(texts, TextsOf(key, value.is_array() ? value : Json::array({value})));
    if (key == "retry_on") texts = {absl::StrJoin(texts, ",")};
    if (texts.size() > 1 && !MayBeSeveral(key))
      return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" has one value, not several"));
  }
  for (std::string& text : texts) {
    args->push_back(option);
    args->push_back(std::move(text));
  }
  return absl::OkStatus();
}

bool IsOption(const std::string& key) {
  // Every set of options has these, and no task; standard input is given by two names of ours.
  for (const char* other : {"", "help", "version", "config"}) {
    if (key == other) return false;
  }
  return key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
}

}  // namespace

absl::StatusOr<client::TaskSpec> TaskOfJson(const TaskFlags& base, const Json& task) {
  if (!task.is_object()) return absl::InvalidArgumentError("a task is an object: {\"command\": [\"echo\", \"hello\"]}");
  TaskFlags flags = base;
  process::OptionSet options("drover submit", "");
  flags.AddTo(&options, {.command_required = false});
  std::vector<std::string> args, command;
  std::optional<std::string> input;
  for (const auto& [key, value] : task.items()) {
    if (value.is_null()) continue;
    if (key == "command") {
      // A fraction would not be written as it stands there.
      const bool fraction = std::any_of(value.begin(), value.end(), [](const Json& word) { return word.is_number_float(); });
      if (fraction)
        return absl::InvalidArgumentError("\"command\" has a number that is no whole one, or too large: give it as text");
      DROVER_ASSIGN_OR_RETURN(command, TextsOf(key, value));
    } else if (key == "stdin") {
      if (!value.is_string()) return absl::InvalidArgumentError("\"stdin\" is no text");
      input = value.get<std::string>();
      if (input->size() > records::kObjectBytesMax) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the standard input of a task has at most ", BytesText(records::kObjectBytesMax)));
      }
    } else if (IsOption(key)) {
      DROVER_RETURN_IF_ERROR(AddOption(key, value, &args));
    } else {
      return absl::InvalidArgumentError(absl::StrCat("\"", key.substr(0, 80), "\" is nothing that a task has"));
    }
  }
  if (command.empty() && !task.contains("handler")) command = base.argv;
  args.emplace_back("--");
  args.insert(args.end(), command.begin(), command.end());
  bool done = false;
  std::ostringstream nothing;
  DROVER_RETURN_IF_ERROR(options.ParseFrom(
      args, [](const std::string&) { return std::nullopt; }, nothing, &done));
  if (command.empty() && flags.handler.empty()) return absl::InvalidArgumentError("it has no \"command\"");
  if (flags.stdin_file == "-") return absl::InvalidArgumentError("\"stdin_file\" is no file: give \"stdin\", or a file's name");
  if (input.has_value() && !flags.stdin_file.empty()) {
    return absl::InvalidArgumentError("\"stdin\" and \"stdin_file\" exclude each other");
  }
  if (input.has_value() && !flags.input.empty()) return absl::InvalidArgumentError("\"input\" and \"stdin\" exclude each other");
  DROVER_ASSIGN_OR_RETURN(client::TaskSpec spec, flags.Spec());
  if (input.has_value()) spec.stdin_data = *std::move(input);
  if (absl::Status s = client::CheckSpec(spec); !s.ok()) return s;
  return spec;
}

absl::StatusOr<JsonReader> JsonReader::Open(const std::string& file) {
  DROVER_ASSIGN_OR_RETURN(InputFile input, InputFile::Open(file));
  return JsonReader(std::move(input));
}

absl::StatusOr<bool> JsonReader::Next(Json* value) {
  std::istream& in = input_.in();
  const auto peek = [&in] { return (in >> std::ws).peek(); };
  const auto end = [this, &in]() -> absl::StatusOr<bool> {
    ended_ = true;
    if (in.bad()) return input_.status();
    return false;
  };
  if (ended_) return false;
  int next = peek();
  bool comma = false;
  if (!begun_ && next == '[') {
    in_array_ = true;
    in.get();
    next = peek();
  } else if (begun_ && in_array_ && next == ',') {
    comma = true;
    in.get();
    next = peek();
  } else if (begun_ && in_array_ && next != ']') {
    ended_ = true;
    if (in.bad()) return input_.status();
    return absl::InvalidArgumentError("the list of tasks has neither a comma nor its end here");
  }
  begun_ = true;
  if (in_array_ && next == ']' && !comma) {
    in.get();
    if (peek() == std::char_traits<char>::eof()) return end();
    ended_ = true;
    return absl::InvalidArgumentError("something stands behind the list of tasks");
  }
  if (!in_array_ && next == std::char_traits<char>::eof()) return end();
  try {
    in >> *value;
  } catch (const Json::exception& wrong) {
    ended_ = true;
    if (in.bad()) return input_.status();
    return absl::InvalidArgumentError(absl::StrCat("this is no JSON: ", wrong.what()));
  }
  return true;
}

}  // namespace drover::cli
