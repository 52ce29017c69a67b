//! Curves in, one picture of them out: SVG with logarithmic axes, as doubling is what both axes are
//! about.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// Points of one engine on one model.
pub struct Curve {
    pub name: String,
    /// Which colour: curves of the same engine have the same one.
    pub engine: usize,
    /// Which mark: curves of the same model have the same one.
    pub model: usize,
    pub points: Vec<(f64, f64)>,
}

/// What is drawn.
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub curves: Vec<Curve>,
}

const SIZE: (u32, u32) = (900, 560);
/// Okabe and Ito's, which colour-blind people can tell apart.
const COLOURS: [RGBColor; 4] =
    [RGBColor(213, 94, 0), RGBColor(0, 114, 178), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// Writes the picture.
pub fn write(path: &Path, plot: &Plot) -> Result<()> {
    draw(path, plot).map_err(|error| anyhow!("{}: can't draw: {error}", path.display()))
}

fn draw(path: &Path, plot: &Plot) -> Result<(), Box<dyn std::error::Error>> {
    let all = || plot.curves.iter().flat_map(|curve| &curve.points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (low, high) =
            all().map(of).fold((f64::INFINITY, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
        if low.is_finite() { low / 1.15..high * 1.15 } else { 1.0..10.0 }
    };
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(&plot.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            range(|p| p.0).log_scale().base(2.0),
            range(|p| p.1).log_scale().base(2.0),
        )?;
    chart
        .configure_mesh()
        .x_desc(&plot.x)
        .y_desc(&plot.y)
        .light_line_style(WHITE.mix(0.0))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(("sans-serif", 14))
        .draw()?;
    for curve in &plot.curves {
        let colour = COLOURS[curve.engine % COLOURS.len()];
        let style = if curve.model == 0 { colour.filled() } else { colour.stroke_width(2) };
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)))?
            .label(&curve.name)
            .legend(move |(x, y)| {
                Circle::new(
                    (x + 10, y),
                    4,
                    if style.filled { colour.filled() } else { colour.stroke_width(2) },
                )
            });
        chart.draw_series(curve.points.iter().map(|&point| Circle::new(point, 4, style)))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_curves_and_an_empty_one_is_a_picture() {
        let folder = std::env::temp_dir().join(format!("kelvin-peers-plot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let curve = |name: &str, engine| Curve {
            name: name.into(),
            engine,
            model: engine,
            points: vec![(1.0, 100.0), (2.0, 180.0), (64.0, 900.0)],
        };
        let mut plot = Plot {
            title: "t".into(),
            x: "x".into(),
            y: "tokens/s".into(),
            curves: vec![curve("ours", 0), curve("theirs", 1)],
        };
        let path = folder.join("p.svg");
        write(&path, &plot).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("<svg") && text.contains("ours") && text.contains("theirs"),
            "{text}"
        );
        plot.curves.clear();
        write(&path, &plot).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
