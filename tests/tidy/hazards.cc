#include "tests/tidy/hazards.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>

namespace drover::tidy {
namespace {

constexpr char kPath[] = "tests/HAZARDS.md";

// The cells of a row without the blanks around them; empty if the line is no row.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  if (line.empty() || line[0] != '|') return cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const std::size_t begin = cell.find_first_not_of(' ');
    const std::size_t end = cell.find_last_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

// Whether the text defines that test, macro and all.
bool Defines(const std::string& text, const std::string& suite, const std::string& name) {
  return std::regex_search(text, std::regex("(^|\n)TEST(_F|_P)?\\(" + suite + ",\\s*" + name + "\\)"));
}

// The tests of a row: `path` in ticks, then `Suite.Name` in ticks for each of its tests. A scenario is a test by itself.
class Row {
 public:
  Row(std::size_t line, const ReadText& read, std::vector<Finding>* findings) : line_(line), read_(read), findings_(findings) {}

  void Read(const std::string& cell) {
    static const std::regex ticks("`([^`]*)`");
    for (std::sregex_iterator it(cell.begin(), cell.end(), ticks), end; it != end; ++it) Word((*it)[1].str());
    Leave();
    if (tests_ == 0) Find("names no test");
  }

 private:
  void Word(const std::string& word) {
    static const std::regex path(R"([\w./]+\.(cc|txt))");
    static const std::regex test(R"((\w+)\.(\w+))");
    std::smatch match;
    if (std::regex_match(word, path)) {
      Leave();
      file_ = word;
      text_ = read_(word);
      if (!text_) Find(word + " does not exist");
      if (word.rfind("tests/", 0) != 0) Find(word + " is not below tests/");
      tests_of_file_ = 0;
      if (word.rfind(".txt") == word.size() - 4) ++tests_, ++tests_of_file_;
    } else if (std::regex_match(word, match, test)) {
      ++tests_;
      ++tests_of_file_;
      if (file_.empty()) {
        Find(word + " stands behind no file");
      } else if (text_ && !Defines(*text_, match[1].str(), match[2].str())) {
        Find(file_ + " has no test " + word);
      }
    } else {
      Find("`" + word + "` is neither a file nor a test");
    }
  }
  void Leave() {
    if (!file_.empty() && tests_of_file_ == 0) Find(file_ + " is named without a test of it");
  }
  void Find(const std::string& what) { findings_->push_back({kPath, line_, what}); }

  const std::size_t line_;
  const ReadText& read_;
  std::vector<Finding>* const findings_;
  std::string file_;
  std::optional<std::string> text_;
  std::size_t tests_ = 0;
  std::size_t tests_of_file_ = 0;
};

}  // namespace

ReadText FilesBelow(const std::string& root) {
  return [root](const std::string& path) -> std::optional<std::string> {
    const std::filesystem::path full = std::filesystem::path(root) / path;
    if (!std::filesystem::is_regular_file(full)) return std::nullopt;
    std::ifstream file(full);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
}

std::vector<Finding> CheckHazards(const std::string& table, const ReadText& read) {
  std::vector<Finding> findings;
  std::map<int, std::size_t> rows;
  std::istringstream in(table);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    static const std::regex digits(R"(\d+)");
    const std::vector<std::string> cells = Cells(line);
    if (cells.empty() || !std::regex_match(cells[0], digits)) continue;
    const int hazard = std::stoi(cells[0]);
    if (hazard < 1 || hazard > kHazards) findings.push_back({kPath, number, "there is no hazard " + cells[0]});
    if (++rows[hazard] > 1) findings.push_back({kPath, number, "hazard " + cells[0] + " has a second row"});
    if (cells.size() != 4) {
      findings.push_back({kPath, number, "a row is: number, hazard, tests, what is still to come"});
      continue;
    }
    if (cells[1].empty()) findings.push_back({kPath, number, "a hazard without words"});
    Row(number, read, &findings).Read(cells[2]);
  }
  for (int hazard = 1; hazard <= kHazards; ++hazard) {
    if (rows[hazard] == 0) findings.push_back({kPath, 0, "hazard " + std::to_string(hazard) + " has no row"});
  }
  return findings;
}

}  // namespace drover::tidy
