//! A page that shows all sheets of a run; printed, each on a page of its own. No scripts, nothing from elsewhere.

use std::fmt::Write as _;

use super::svg::Escaped;

/// One picture of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its file, beside the page.
    pub file: String,
    /// The rule, or what the picture shows.
    pub title: String,
    /// The machine, or what is told beside the title.
    pub detail: String,
    /// The number of the sheet, where there are several.
    pub sheet: Option<usize>,
    /// Points that fail a test, for the list.
    pub failing: Option<usize>,
}

impl Picture {
    /// The detail with the number of the sheet.
    fn about(&self) -> String {
        match self.sheet {
            Some(sheet) => format!("{}, sheet {sheet}", self.detail),
            None => self.detail.clone(),
        }
    }
}

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.5rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left}
td:last-child{text-align:right}
figure{margin:2rem 0}
img{width:100%;height:auto;border:1px solid #ccc}
@page{size:A4 landscape;margin:0}
@media print{body{margin:0;max-width:none;padding:0}header{display:none}figure{margin:0;break-after:page}img{border:0}}";

/// The page.
pub fn page(title: &str, about: &str, pictures: &[Picture]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<header>\n<h1>{0}</h1>\n<p>{1}</p>\n<table>\n<tr><th>sheet</th><th></th><th>points failing a test</th></tr>\n",
        Escaped(title),
        Escaped(about)
    );
    for picture in pictures {
        let failing = picture
            .failing
            .map_or(String::new(), |failing| failing.to_string());
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "<tr><td><a href=\"#{}\">{}</a></td><td>{}</td><td>{failing}</td></tr>",
            Escaped(&picture.file),
            Escaped(&picture.title),
            Escaped(&picture.about())
        );
    }
    page.push_str("</table>\n</header>\n");
    for picture in pictures {
        let _ = writeln!(
            page,
            "<figure id=\"{0}\"><a href=\"{0}\"><img src=\"{0}\" alt=\"{1} {2}\" width=\"1123\" height=\"794\" loading=\"lazy\"></a></figure>",
            Escaped(&picture.file),
            Escaped(&picture.title),
            Escaped(&picture.about())
        );
    }
    page.push_str("</body>\n</html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_listed_and_shown() {
        let picture = |file: &str, failing| Picture {
            file: file.into(),
            title: "a <rule>".into(),
            detail: "press-07".into(),
            sheet: None,
            failing,
        };
        let page = page(
            "Backtest",
            "750 readings",
            &[picture("a.svg", Some(3)), picture("b.svg", None)],
        );
        assert_eq!(page.matches("<img src=").count(), 2);
        assert!(page.contains("<td>3</td>") && page.contains("a &lt;rule&gt;"));
        assert!(!page.contains("<script") && !page.contains("http"));
    }
}
