#include "coord/process/options.h"

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "coord/base/status.h"
#include "coord/process/config_file.h"
#include "coord/process/nearest.h"
#include "coord/process/version.h"

namespace drover::process {
namespace {

using Values = std::vector<std::string>;
using Environment = std::function<std::optional<std::string>(const std::string&)>;
// Reads values; what it returns stores them, once all options of the command line have been read.
using Store = std::function<void()>;
using Reader = std::function<absl::StatusOr<Store>(const Values&)>;

enum class Kind { kFlag, kSingle, kList, kPositional, kPositionalList };

struct Item {
  std::string name;       // as in messages: the long name with dashes, else the short one, or a positional's name
  std::string long_name;  // without dashes; empty: a short one or a positional
  Kind kind = Kind::kSingle;
  std::size_t min = 0;  // positionals
  bool commas = false;  // values are split at commas in flags, too
  Reader read;
  CLI::Option* option = nullptr;
  Values values;
  bool given = false;
};

std::string VariableOf(const Item& item) {
  return absl::StrCat("DROVER_", absl::AsciiStrToUpper(absl::StrReplaceAll(item.long_name, {{"-", "_"}})));
}

template <typename T>
Reader SingleReader(T* target, std::function<absl::StatusOr<T>(const std::string&)> parse) {
  return [target, parse](const Values& values) -> absl::StatusOr<Store> {
    absl::StatusOr<T> parsed = parse(values.back());
    if (!parsed.ok()) return parsed.status();
    return Store([target, value = *std::move(parsed)] { *target = value; });
  };
}

template <typename T>
Reader NumberReader(T* target, T min, T max) {
  return SingleReader<T>(target, [min, max](const std::string& text) -> absl::StatusOr<T> {
    T number = 0;
    if (!absl::SimpleAtoi(text, &number))
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not a number that fits"));
    if (number < min || number > max) {
      return absl::InvalidArgumentError(absl::StrCat(text, " is out of range; it must be ", min, " to ", max));
    }
    return number;
  });
}

absl::StatusOr<bool> ParseBool(const std::string& text) {
  bool value = false;
  if (!absl::SimpleAtob(text, &value)) return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not true or false"));
  return value;
}

// "--limit" of "--limit=3"; other words as they are.
std::string FlagOf(const std::string& word) {
  return absl::StartsWith(word, "-") ? word.substr(0, word.find('=')) : word;
}

Values SplitCommas(const Values& values) {
  Values out;
  for (const std::string& value : values) {
    for (const absl::string_view part : absl::StrSplit(value, ',')) out.emplace_back(part);
  }
  return out;
}

}  // namespace

class OptionSet::Impl {
 public:
  Impl(std::string p, CLI::App* a, Impl* up) : path(std::move(p)), app(a), parent(up) {}

  Item& Add(const std::string& names, Kind kind, Reader read, const std::string& help, const std::string& shown_default) {
    auto item = std::make_unique<Item>();
    item->kind = kind;
    item->read = std::move(read);
    Item* const raw = item.get();
    for (const absl::string_view name : absl::StrSplit(names, ',')) {
      if (absl::StartsWith(name, "--")) item->long_name = std::string(name.substr(2));
      if (item->name.empty() || absl::StartsWith(name, "--")) item->name = std::string(name);
    }
    if (kind == Kind::kFlag) {
      item->option = app->add_flag_function(
          names, [raw](std::int64_t count) { raw->values = {count > 0 ? "true" : "false"}; }, help);
    } else {
      item->option = app->add_option(
          names,
          [raw](const CLI::results_t& results) {
            raw->values = results;
            return true;
          },
          help);
      item->option->type_name(kind == Kind::kPositional || kind == Kind::kPositionalList ? "" : "VALUE");
      if (kind == Kind::kSingle) item->option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      if (kind == Kind::kList) {
        item->option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
      if (kind == Kind::kPositional) item->option->expected(1);
      if (kind == Kind::kPositionalList) item->option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
      if (!shown_default.empty()) item->option->default_str(shown_default);
    }
    items.push_back(std::move(item));
    return *items.back();
  }

  // The sets from the root to the innermost chosen one.
  std::vector<Impl*> Chosen() {
    std::vector<Impl*> out{this};
    for (const auto& command : commands) {
      if (!command->impl_->app->parsed()) continue;
      for (Impl* set : command->impl_->Chosen()) out.push_back(set);
    }
    return out;
  }

  [[nodiscard]] std::string CommandNames() const {
    std::vector<std::string> names;
    for (const auto& command : commands) names.push_back(command->impl_->app->get_name());
    return absl::StrJoin(names, ", ");
  }

  // The flag that somebody who typed an unknown one may have meant, without dashes; empty: none.
  std::string Meant(const std::string& word) {
    if (!absl::StartsWith(word, "--")) return "";
    std::vector<std::string> known;
    for (const Impl* const set : Chosen()) {
      for (const CLI::Option* const option : set->app->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back(name);
      }
    }
    return NearestOf(FlagOf(word).substr(2), known);
  }

  // Options of the root: variables, then the file, for those without a flag.
  absl::Status TakeEnvironment(const Environment& environment) {
    for (const auto& item : items) {
      if (item->long_name.empty() || item->given) continue;
      const std::string variable = VariableOf(*item);
      const std::optional<std::string> value = environment(variable);
      if (!value.has_value() || value->empty()) continue;
      item->values = item->kind == Kind::kList ? SplitCommas({*value}) : Values{*value};
      item->given = true;
      DROVER_RETURN_IF_ERROR(Read(item.get(), variable));
    }
    return absl::OkStatus();
  }

  absl::Status TakeFile(const std::string& file) {
    DROVER_ASSIGN_OR_RETURN(const auto lines, ReadConfigFile(file));
    std::set<std::string> seen;
    for (const ConfigLine& line : lines) {
      const std::string& key = line.key;
      const Values& values = line.values;
      const std::string where = absl::StrCat(file, ": line ", line.line, ": ");
      const auto found = std::find_if(items.begin(), items.end(), [&key](const auto& i) { return i->long_name == key; });
      if (key.empty() || found == items.end() || (*found)->name == "--config") {
        return absl::InvalidArgumentError(
            absl::StrCat(where, "unknown key ", key, "; keys are the long options of ", path, " without dashes"));
      }
      if (!seen.insert(key).second) return absl::InvalidArgumentError(absl::StrCat(where, "key ", key, " is there twice"));
      Item* const item = found->get();
      if (item->kind != Kind::kList && values.size() != 1) {
        return absl::InvalidArgumentError(absl::StrCat(where, "key ", key, " takes one value"));
      }
      const bool stands = item->given;
      const Values former = item->values;
      item->values = values;
      // Judged even where flag or variable win: a wrong line in a file should not lie in wait.
      const std::size_t stores_before = stores.size();
      DROVER_RETURN_IF_ERROR(Read(item, absl::StrCat(where, key)));
      if (stands) {
        stores.resize(stores_before);
        item->values = former;
      }
      item->given = true;
    }
    return absl::OkStatus();
  }

  absl::Status Read(Item* item, const std::string& source) {
    absl::StatusOr<Store> store = item->read(item->values);
    if (!store.ok()) return base::Annotate(store.status(), source);
    stores.push_back(*std::move(store));
    return absl::OkStatus();
  }

  absl::Status TakeFlags() {
    for (const auto& item : items) {
      const bool positional = item->kind == Kind::kPositional || item->kind == Kind::kPositionalList;
      item->given = item->option->count() > 0;
      if (positional && item->values.size() < item->min) {
        return absl::InvalidArgumentError(absl::StrCat(item->name, " is missing"));
      }
      if (!item->given) continue;
      DROVER_RETURN_IF_ERROR(Read(item.get(), item->name));
    }
    return absl::OkStatus();
  }

  absl::Status ParseArguments(const Values& args) {
    Values front = args;
    const auto dashes = std::find(front.begin(), front.end(), "--");
    const bool has_rest = dashes != front.end();
    Values tail;
    if (has_rest) {
      tail.assign(dashes + 1, front.end());
      front.erase(dashes, front.end());
    }
    std::reverse(front.begin(), front.end());  // as CLI11 wants them
    absl::Status wrong;
    try {
      app->parse(std::move(front));
    } catch (const CLI::CallForHelp&) {
      throw;
    } catch (const CLI::CallForVersion&) {
      throw;
    } catch (const CLI::ExtrasError&) {
      Values extras = app->remaining(true);
      std::string words = extras.empty() ? "too many arguments" : absl::StrCat("do not know ", FlagOf(extras.front()));
      if (const std::string meant = extras.empty() ? "" : Meant(extras.front()); !meant.empty()) {
        absl::StrAppend(&words, "; did you mean --", meant, "?");
      } else if (const Impl* const set = Chosen().back(); set->rest != nullptr && !has_rest) {
        absl::StrAppend(&words, "; ", set->rest_name, " is written after --");  // the usual reason where a command is to follow
      }
      wrong = absl::InvalidArgumentError(words);
    } catch (const CLI::ParseError& error) {
      wrong = absl::InvalidArgumentError(error.what());
    }
    const std::vector<Impl*> chosen = Chosen();
    Impl* const innermost = chosen.back();
    blamed = innermost;
    if (!wrong.ok() || !innermost->commands.empty()) {
      // A set that wants a command and got none of its own.
      if (!innermost->commands.empty()) {
        const Values extras = app->remaining(true);
        const auto word =
            std::find_if(extras.begin(), extras.end(), [](const std::string& e) { return !absl::StartsWith(e, "-"); });
        if (word != extras.end()) {
          return absl::InvalidArgumentError(absl::StrCat("no command ", *word, "; there are: ", innermost->CommandNames()));
        }
        if (wrong.ok() && !innermost->command_optional)
          return absl::InvalidArgumentError(absl::StrCat("a command is missing; there are: ", innermost->CommandNames()));
      }
      if (!wrong.ok()) return wrong;
    }
    for (Impl* set : chosen) {
      DROVER_RETURN_IF_ERROR(set->TakeFlags());
    }
    if (innermost->rest == nullptr) {
      if (has_rest) return absl::InvalidArgumentError("nothing may follow -- here");
    } else if (innermost->rest_required && tail.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(innermost->rest_name, " is missing; write it after --"));
    } else {
      innermost->stores.push_back([innermost, tail] { *innermost->rest = tail; });
    }
    return absl::OkStatus();
  }

  const std::string path;  // "drover tree get"
  std::unique_ptr<CLI::App> root;
  // What the help ends with. Options of a command are read from the command line alone.
  [[nodiscard]] std::string Foot(absl::string_view own) const {
    const Impl* program = this;
    while (program->parent != nullptr) program = program->parent;
    return absl::StrCat(own, own.empty() ? "" : "\n\n", "Each long option of ", program->path,
                        " itself, not of a command, may also be given as DROVER_<NAME> in the environment or as a key in the "
                        "file of --config.");
  }

  CLI::App* app;
  Impl* const parent;
  std::vector<std::unique_ptr<Item>> items;
  std::vector<std::unique_ptr<OptionSet>> commands;
  std::vector<Store> stores;
  std::string config;
  Values* rest = nullptr;
  std::string rest_name;
  bool rest_required = false;
  bool command_optional = false;
  Impl* blamed = this;
};

OptionSet::OptionSet(std::string program, std::string summary) : impl_(std::make_unique<Impl>(program, nullptr, nullptr)) {
  impl_->root = std::make_unique<CLI::App>(std::move(summary), program);
  impl_->app = impl_->root.get();
  impl_->app->set_help_flag("-h,--help", "Print this and exit");
  impl_->app->set_version_flag("--version", VersionLine(program),
                               "Print version, commit, build type and format versions, and exit");
  impl_->app->footer(impl_->Foot(""));
  Text("--config", &impl_->config, "File of `option = value` lines");
}

OptionSet::OptionSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OptionSet::~OptionSet() = default;

OptionSet& OptionSet::Command(const std::string& name, const std::string& summary) {
  CLI::App* const app = impl_->app->add_subcommand(name, summary);
  app->fallthrough();
  impl_->commands.push_back(
      std::unique_ptr<OptionSet>(new OptionSet(std::make_unique<Impl>(absl::StrCat(impl_->path, " ", name), app, impl_.get()))));
  return *impl_->commands.back();
}

void OptionSet::Text(const std::string& names, std::string* target, const std::string& help) {
  impl_->Add(names, Kind::kSingle,
             SingleReader<std::string>(target, [](const std::string& text) -> absl::StatusOr<std::string> { return text; }), help,
             *target);
}

void OptionSet::Texts(const std::string& names, Values* target, const std::string& help) {
  impl_->Add(
      names, Kind::kList,
      [target](const Values& values) -> absl::StatusOr<Store> { return Store([target, values] { *target = values; }); }, help,
      absl::StrJoin(*target, ","));
}

void OptionSet::Choice(const std::string& names, std::string* target, Values allowed, const std::string& help) {
  const std::string list = absl::StrJoin(allowed, ", ");
  impl_->Add(names, Kind::kSingle,
             SingleReader<std::string>(target,
                                       [allowed, list](const std::string& text) -> absl::StatusOr<std::string> {
                                         if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
                                         return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not one of ", list));
                                       }),
             absl::StrCat(help, " (", list, ")"), *target);
}

void OptionSet::Flag(const std::string& names, bool* target, const std::string& help) {
  impl_->Add(names, Kind::kFlag, SingleReader<bool>(target, ParseBool), help, "");
}

void OptionSet::Number(const std::string& names, std::uint64_t* target, const std::string& help, std::uint64_t min,
                       std::uint64_t max) {
  impl_->Add(names, Kind::kSingle, NumberReader(target, min, max), help, absl::StrCat(*target));
}
void OptionSet::Number(const std::string& names, std::uint32_t* target, const std::string& help, std::uint32_t min,
                       std::uint32_t max) {
  impl_->Add(names, Kind::kSingle, NumberReader(target, min, max), help, absl::StrCat(*target));
}
void OptionSet::Number(const std::string& names, std::int64_t* target, const std::string& help, std::int64_t min,
                       std::int64_t max) {
  impl_->Add(names, Kind::kSingle, NumberReader(target, min, max), help, absl::StrCat(*target));
}
void OptionSet::Number(const std::string& names, int* target, const std::string& help, int min, int max) {
  impl_->Add(names, Kind::kSingle, NumberReader(target, min, max), help, absl::StrCat(*target));
}

void OptionSet::Time(const std::string& names, base::Duration* target, const std::string& help, base::Duration min,
                     base::Duration max) {
  impl_->Add(
      names, Kind::kSingle,
      SingleReader<base::Duration>(target,
                                   [min, max](const std::string& text) -> absl::StatusOr<base::Duration> {
                                     DROVER_ASSIGN_OR_RETURN(const base::Duration time, ParseDuration(text));
                                     if (time >= min && time <= max) return time;
                                     return absl::InvalidArgumentError(absl::StrCat(
                                         text, " is out of range; it must be ", FormatDuration(min), " to ", FormatDuration(max)));
                                   }),
      help, FormatDuration(*target));
}

void OptionSet::Address(const std::string& names, std::string* target, const std::string& help) {
  impl_->Add(names, Kind::kSingle,
             SingleReader<std::string>(target,
                                       [](const std::string& text) -> absl::StatusOr<std::string> {
                                         DROVER_ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(text));
                                         return address.ToString();
                                       }),
             help, *target);
}

void OptionSet::Addresses(const std::string& names, Values* target, const std::string& help) {
  impl_->Add(
      names, Kind::kList,
      [target](const Values& values) -> absl::StatusOr<Store> {
        DROVER_ASSIGN_OR_RETURN(const Values addresses, ParseAddressList(absl::StrJoin(values, ",")));
        return Store([target, addresses] { *target = addresses; });
      },
      help, absl::StrJoin(*target, ","));
}

void OptionSet::Pairs(const std::string& names, std::map<std::string, std::string>* target, const std::string& help) {
  impl_->Add(
      names, Kind::kList,
      [target](const Values& values) -> absl::StatusOr<Store> {
        std::map<std::string, std::string> pairs;
        for (const std::string& value : values) {
          DROVER_ASSIGN_OR_RETURN(auto pair, ParseKeyValue(value));
          if (!pairs.emplace(pair).second) {
            return absl::InvalidArgumentError(absl::StrCat(pair.first, " is given more than once"));
          }
        }
        return Store([target, pairs] { *target = pairs; });
      },
      help, absl::StrJoin(*target, ",", absl::PairFormatter("=")));
}

void OptionSet::Custom(const std::string& names, std::function<absl::Status(const std::string&)> set, const std::string& help,
                       const std::string& shown_default) {
  impl_->Add(
      names, Kind::kSingle,
      [set](const Values& values) -> absl::StatusOr<Store> {
        DROVER_RETURN_IF_ERROR(set(values.back()));
        return Store([] {});
      },
      help, shown_default);
}

void OptionSet::Argument(const std::string& name, std::string* target, const std::string& help, bool required) {
  impl_
      ->Add(name, Kind::kPositional,
            SingleReader<std::string>(target, [](const std::string& text) -> absl::StatusOr<std::string> { return text; }), help,
            "")
      .min = required ? 1 : 0;
}

void OptionSet::Arguments(const std::string& name, Values* target, const std::string& help, std::size_t min) {
  impl_
      ->Add(
          name, Kind::kPositionalList,
          [target](const Values& values) -> absl::StatusOr<Store> { return Store([target, values] { *target = values; }); }, help,
          "")
      .min = min;
}

void OptionSet::Rest(const std::string& name, Values* target, const std::string& help, bool required) {
  impl_->rest = target;
  impl_->rest_name = name;
  impl_->rest_required = required;
  impl_->app->footer(impl_->Foot(absl::StrCat("-- ", name, "  ", help)));
}

void OptionSet::Footer(std::string text) {
  impl_->app->footer(impl_->Foot(text));
}

bool OptionSet::chosen() const {
  return impl_->parent == nullptr || impl_->app->parsed();
}

void OptionSet::CommandOptional() {
  impl_->command_optional = true;
}

std::vector<std::string> OptionSet::CommandsBelow(const Values& names) const {
  const Impl* set = impl_.get();
  for (const std::string& name : names) {
    const auto found = std::find_if(set->commands.begin(), set->commands.end(),
                                    [&name](const auto& command) { return command->impl_->app->get_name() == name; });
    if (found == set->commands.end()) return {};
    set = (*found)->impl_.get();
  }
  Values below;
  for (const auto& command : set->commands) below.push_back(command->impl_->app->get_name());
  return below;
}

bool OptionSet::given(const std::string& name) const {
  return std::any_of(impl_->items.begin(), impl_->items.end(),
                     [&name](const auto& item) { return item->given && (item->name == name || item->option->check_name(name)); });
}

absl::Status OptionSet::ParseFrom(const std::vector<std::string>& args, const Environment& environment, std::ostream& out,
                                  bool* done) {
  *done = false;
  try {
    DROVER_RETURN_IF_ERROR(impl_->ParseArguments(args));
  } catch (const CLI::CallForHelp&) {
    out << impl_->app->help();
    *done = true;
    return absl::OkStatus();
  } catch (const CLI::CallForVersion&) {
    out << VersionLine(impl_->path) << "\n";
    *done = true;
    return absl::OkStatus();
  }
  DROVER_RETURN_IF_ERROR(impl_->TakeEnvironment(environment));
  // The file's name comes before all other values: it is the first item.
  std::string file = impl_->items.front()->given ? impl_->items.front()->values.back() : impl_->config;
  if (!file.empty()) DROVER_RETURN_IF_ERROR(impl_->TakeFile(file));
  for (Impl* set : impl_->Chosen()) {
    for (const Store& store : set->stores) store();
  }
  return absl::OkStatus();
}

std::optional<int> OptionSet::Parse(int argc, const char* const* argv) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  bool done = false;
  const absl::Status status = ParseFrom(
      args,
      [](const std::string& name) -> std::optional<std::string> {
        const char* const value = getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return std::string(value);
      },
      std::cout, &done);
  if (!status.ok()) return Refuse(std::string(status.message()));
  if (done) {
    std::cout.flush();
    return 0;
  }
  return std::nullopt;
}

std::string OptionSet::HelpHint() const {
  return absl::StrCat("see ", impl_->blamed->path, " --help");
}

int OptionSet::Refuse(absl::string_view what) const {
  std::cerr << impl_->blamed->path << ": " << std::string(what) << " (" << HelpHint() << ")" << std::endl;
  return kUsageExitCode;
}

}  // namespace drover::process
