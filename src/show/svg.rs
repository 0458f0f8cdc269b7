//! The sheet as a drawing for a review meeting.
use crate::show::svg_layout::{Band, Lane, Plan, RuleBox, Style, TOP, TextBox, Way, heading_width, plan};
use crate::show::words::width;
use crate::show::{Lang, Sheet};
use std::fmt::Write;

/// Edges of the boxes, by layer; the layer's name stands in the box, too.
const LAYERS: [&str; 6] = ["#6b4c9a", "#2f6db5", "#2a8c82", "#b8860b", "#b5532f", "#8c2a5b"];
const LANES: [&str; 5] = ["#8a1c1c", "#1c5c8a", "#3c6e1f", "#7a4b00", "#5b2a86"];

const STYLE: &str = "text{font:12px 'Noto Sans CJK SC','PingFang SC','Microsoft YaHei','DejaVu Sans',sans-serif;fill:#1d2330}\
.h{font-weight:bold}.t{font-size:17px;font-weight:bold}.o{font-size:15px;font-weight:bold}.e{fill:#0b5a2b}.f{fill:#5a6270}\
.r{fill:#fff;stroke:#9aa3b2}.b{stroke-width:2.5;stroke:#1d2330}.x{stroke-dasharray:4 3}.out{fill:#eef4fb;stroke:#44546a;stroke-width:1.5}\
.w{fill:#f4f4f4}.way,.lane{fill:none;stroke-width:1.3}.way{stroke:#5a6270}.minus{stroke-dasharray:6 3}.limit{stroke-dasharray:2 3}";

/// The drawing, as SVG 1.1.
pub fn svg(sheet: &Sheet, lang: Lang) -> String {
    let plan = plan(sheet, lang);
    let mut out = Drawing { out: String::new() };
    let title = format!("{} · {} {}", lang.of(&sheet.label), lang.pick("门店", "store"), sheet.store);
    out.add(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">",
        plan.width, plan.height
    ));
    out.add(format_args!("<title>{}</title>", escaped(&title)));
    out.add(format_args!("<style>{STYLE}</style>"));
    out.add(format_args!(
        "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"#1d2330\"/></marker></defs>"
    ));
    out.add(format_args!("<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>", plan.width, plan.height));
    out.head(&plan, &title, lang);
    for band in &plan.bands {
        out.band(band);
    }
    out.out.push_str("</svg>\n");
    out.out
}

struct Drawing {
    out: String,
}

impl Drawing {
    fn add(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{what}");
    }

    fn text(&mut self, x: i64, y: i64, class: &str, text: &str) {
        self.add(format_args!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escaped(text)));
    }

    fn head(&mut self, plan: &Plan, title: &str, lang: Lang) {
        self.text(plan.left, 34, "t", title);
        let legend = lang.pick(
            "实线:给出 · 虚线(−):去掉 · 点线(≥ ≤):限度 · 左侧 ●→:优先于 · 粗框:约束性 · 虚框:自身不作用于此结果",
            "solid: gives · dashed (−): takes out · dotted (≥ ≤): limits · on the left ●→: goes before · \
             heavy frame: binding · broken frame: no effect here itself",
        );
        self.text(plan.left, 56, "f", legend);
        let mut x = plan.left;
        for (i, layer) in plan.layers.iter().enumerate() {
            let colour = colour(&LAYERS, i);
            self.add(format_args!("<rect x=\"{x}\" y=\"68\" width=\"6\" height=\"14\" fill=\"{colour}\"/>"));
            self.text(x + 11, 80, "", layer);
            x += 30 + heading_width(width(layer));
        }
        self.add(format_args!(
            "<line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#ccd3de\"/>",
            plan.left,
            plan.width - plan.left,
            y = TOP - 6
        ));
    }

    fn band(&mut self, band: &Band) {
        for (i, lane) in band.lanes.iter().enumerate() {
            self.lane(lane, colour(&LANES, i));
        }
        for way in &band.ways {
            self.way(way);
        }
        for rule in &band.rules {
            self.rule(rule);
        }
        let class = if band.working { "out w" } else { "out" };
        self.frame(&band.output, class);
        self.lines(&band.output, 0, "o");
    }

    fn frame(&mut self, of: &TextBox, class: &str) {
        let a = of.area;
        self.add(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" class=\"{class}\"/>",
            a.x, a.y, a.w, a.h
        ));
    }

    fn rule(&mut self, rule: &RuleBox) {
        let class = match (rule.binding, rule.outside) {
            (true, _) => "r b",
            (false, true) => "r x",
            (false, false) => "r",
        };
        self.frame(&rule.text, class);
        let a = rule.text.area;
        let colour = colour(&LAYERS, rule.layer);
        self.add(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"5\" height=\"{}\" fill=\"{colour}\"/>",
            a.x, a.y, a.h
        ));
        self.lines(&rule.text, 6, "h");
    }

    fn lines(&mut self, of: &TextBox, indent: i64, head: &str) {
        for (i, (style, text)) in of.lines.iter().enumerate() {
            let class = match style {
                Style::Head => head,
                Style::Effect => "e",
                Style::Plain => "",
                Style::Faint => "f",
            };
            self.text(of.area.x + 9 + indent, of.baseline(i), class, text);
        }
    }

    fn way(&mut self, way: &Way) {
        let class = match way.sign {
            "−" => "way minus",
            "≥" | "≤" => "way limit",
            _ => "way",
        };
        let points: Vec<String> = way.corners.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.add(format_args!(
            "<polyline points=\"{}\" class=\"{class}\" marker-end=\"url(#a)\"/>",
            points.join(" ")
        ));
    }

    fn lane(&mut self, lane: &Lane, colour: &str) {
        let Lane { x, right, from, .. } = lane;
        let dash = if lane.replaces { " stroke-dasharray=\"5 3\"" } else { "" };
        for y in &lane.to {
            self.add(format_args!(
                "<polyline points=\"{right},{from} {x},{from} {x},{y} {right},{y}\" class=\"lane\" stroke=\"{colour}\"{dash} marker-end=\"url(#a)\"/>"
            ));
        }
        self.add(format_args!("<circle cx=\"{}\" cy=\"{from}\" r=\"3\" fill=\"{colour}\"/>", right - 4));
    }
}

/// One of a few colours, again from the first when there are more.
fn colour<'c>(colours: &[&'c str], at: usize) -> &'c str {
    colours.get(at % colours.len().max(1)).copied().unwrap_or("#1d2330")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
